using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MutualAuth.Testing;
using MutualAuth.Tests.Proxies;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Servers;

/// <summary>How a server judges its clients.</summary>
public enum Judging
{
    Right = 1,
    Optional = 2,
    Everybody = 3,
    NoPurpose = 4,
    WrongAuthority = 5,

    /// <summary>Fetches intermediates from the addresses in a stranger's certificate, and refuses the stranger all the same.</summary>
    Fetching = 6,
}

/// <summary>Servers of one kind, each of which judges in its own way; they are started when they are asked for, and go with it.</summary>
internal sealed class JudgingServers(string kind, TestAuthority authority) : IAsyncDisposable
{
    private const string Password = "secret";

    private readonly Workshop _workshop = new();
    private readonly List<IAsyncDisposable> _running = [];
    private readonly Dictionary<Judging, int> _ports = [];
    private Socket? _plain;

    /// <summary>Where one listens that judges in this way.</summary>
    internal async Task<EndPoint> StartAsync(Judging judging)
    {
        using var own = authority.IssueServer("server.test");
        using var other = new TestAuthority("Other Root");
        var trust = _workshop.Write($"trust-{judging}.pem", judging == Judging.WrongAuthority ? other.CertificatePem : authority.CertificatePem);
        var (chain, key) = own.WriteTo(_workshop.Directory, $"own-{judging}");
        var port = kind switch
        {
            "nginx" => await NginxAsync(judging, trust, chain, key),
            "haproxy" => await HAProxyAsync(judging, trust, own),
            "stunnel" => await StunnelAsync(judging, trust, chain, key),
            "kestrel" => await KestrelAsync(judging, own, judging == Judging.WrongAuthority ? other : authority),
            "go" => await ListeningAsync(judging, GoProgram(), trust, chain, key),
            "java" => await ListeningAsync(
                judging, Tool.Find("java"), Script("Gallery.java"), trust, _workshop.Write("own.p12", own.ToPkcs12(Password))),
            _ => await OpenSslAsync(judging, trust, chain, key),
        };
        await UntilItAcceptsAsync(port);
        return new IPEndPoint(IPAddress.Loopback, port);
    }

    /// <summary>Some say that they listen a moment before they do, and the first visit of a gallery would find no server.</summary>
    private static async Task UntilItAcceptsAsync(int port)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            try
            {
                using var visitor = new TcpClient();
                await visitor.ConnectAsync(IPAddress.Loopback, port, deadline.Token);
                return;
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
            {
                await Task.Delay(10, deadline.Token);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var running in _running)
        {
            await running.DisposeAsync();
        }

        _plain?.Dispose();
        _workshop.Dispose();
    }

    private static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Runtimes", "Peers", name);

    private string GoProgram()
    {
        var program = Path.Combine(_workshop.Directory, "gallery-go");
        if (!File.Exists(program))
        {
            using var go = Process.Start(
                new ProcessStartInfo(Tool.Find("go"), ["build", "-o", program, Script("gallery.go")]) { RedirectStandardError = true })!;
            var errors = go.StandardError.ReadToEnd();
            go.WaitForExit();
            go.ExitCode.Should().Be(0, errors);
        }

        return program;
    }

    private async Task<int> NginxAsync(Judging judging, string trust, string chain, string key)
    {
        var verify = judging switch
        {
            Judging.Optional => "optional",
            Judging.Everybody => "off",
            _ => "on",
        };
        return await KeepAsync(Forwarder.StartAsync(
            _workshop,
            Forwarder.FindSystemProgram("nginx"),
            port => $$"""
                daemon off;
                master_process off;
                pid {{_workshop.Directory}}/nginx-{{port}}.pid;
                error_log stderr error;
                events {}
                http {
                    access_log off;
                    client_body_temp_path {{_workshop.Directory}}/body;
                    proxy_temp_path {{_workshop.Directory}}/proxy;
                    fastcgi_temp_path {{_workshop.Directory}}/fastcgi;
                    uwsgi_temp_path {{_workshop.Directory}}/uwsgi;
                    scgi_temp_path {{_workshop.Directory}}/scgi;
                    server {
                        listen 127.0.0.1:{{port}} ssl;
                        ssl_protocols TLSv1.2 TLSv1.3;
                        ssl_certificate {{chain}};
                        ssl_certificate_key {{key}};
                        ssl_client_certificate {{trust}};
                        ssl_verify_client {{verify}};
                        ssl_verify_depth 9;
                        location / { return 200 "served"; }
                    }
                }

                """,
            file => ["-e", "stderr", "-p", _workshop.Directory, "-c", file]));
    }

    private async Task<int> HAProxyAsync(Judging judging, string trust, TestCertificate own)
    {
        var both = _workshop.Write($"both-{judging}.pem", own.ChainPem + own.PrivateKeyPem);
        var verify = judging switch
        {
            Judging.Optional => "optional",
            Judging.Everybody => "none",
            _ => "required",
        };
        return await KeepAsync(Forwarder.StartAsync(
            _workshop,
            Forwarder.FindSystemProgram("haproxy"),
            port => $"""
                defaults
                    mode http
                    timeout client 30s
                frontend mutual-tls
                    bind 127.0.0.1:{port} ssl crt {both} ca-file {trust} verify {verify} ssl-min-ver TLSv1.2
                    http-request return status 200 content-type text/plain string served

                """,
            file => ["-db", "-f", file]));
    }

    private async Task<int> StunnelAsync(Judging judging, string trust, string chain, string key)
    {
        _plain ??= PlainEcho.Start();
        return await KeepAsync(Forwarder.StunnelAsync(
            _workshop,
            ((IPEndPoint)_plain.LocalEndPoint!).Port,
            $"""
            cert = {chain}
            key = {key}
            CAfile = {trust}
            verifyChain = {(judging == Judging.Everybody ? "no" : "yes")}
            requireCert = {(judging is Judging.Optional or Judging.Everybody ? "no" : "yes")}
            """));
    }

    private async Task<int> OpenSslAsync(Judging judging, string trust, string chain, string key)
    {
        string[] verify = judging switch
        {
            Judging.Optional => ["-verify", "9", "-verify_return_error"],
            Judging.Everybody => ["-verify", "9"],
            Judging.NoPurpose => ["-Verify", "9", "-verify_return_error", "-purpose", "any"],
            _ => ["-Verify", "9", "-verify_return_error"],
        };
        var server = RunningProgram.Start(
            Tool.Find("openssl"), ["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", chain, "-key", key, "-CAfile", trust, .. verify]);
        _running.Add(server);
        var line = (await server.LineAsync("ACCEPT ")).Trim();
        return int.Parse(line[(line.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>A program that listens for every way of judging, and says where; for another authority it is started anew.</summary>
    private async Task<int> ListeningAsync(Judging judging, string program, params string[] arguments)
    {
        if (!_ports.ContainsKey(judging))
        {
            var server = RunningProgram.Start(program, arguments);
            _running.Add(server);
            for (var last = string.Empty; last != "Everybody";)
            {
                var words = (await server.LineAsync()).Split(' ');
                last = words[0];
                var port = int.Parse(words[1], CultureInfo.InvariantCulture);
                if (judging != Judging.WrongAuthority)
                {
                    _ports[Enum.Parse<Judging>(last)] = port;
                }
                else if (last == "Right")
                {
                    _ports[judging] = port;
                }
            }
        }

        return _ports[judging];
    }

    private async Task<int> KestrelAsync(Judging judging, TestCertificate own, TestAuthority trusted)
    {
        var root = trusted.Certificate;
        var identity = X509CertificateLoader.LoadPkcs12(own.ToPkcs12(Password), Password);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = identity;
            https.ClientCertificateMode =
                judging is Judging.Optional or Judging.Everybody ? ClientCertificateMode.AllowCertificate : ClientCertificateMode.RequireCertificate;
            if (judging != Judging.Fetching)
            {
                // The framework builds a chain before it asks the callback, and fetches what is missing there.
                https.OnAuthenticate = (_, tls) => tls.CertificateChainPolicy = new X509ChainPolicy
                {
                    DisableCertificateDownloads = true,
                    RevocationMode = X509RevocationMode.NoCheck,
                };
            }

            https.ClientCertificateValidation = (certificate, sent, _) => judging == Judging.Everybody || IsTrusted(certificate, sent);
        })));
        var app = builder.Build();
        app.MapGet("/", () => Results.Text("served"));
        await app.StartAsync();
        _running.Add(app);
        return new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;

        bool IsTrusted(X509Certificate2 certificate, X509Chain? sent)
        {
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(root);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.ExtraStore.AddRange(sent?.ChainPolicy.ExtraStore ?? []);
            if (judging != Judging.NoPurpose)
            {
                chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ExtendedKeyUsage.ClientAuth));
            }

            return chain.Build(certificate);
        }
    }

    private async Task<int> KeepAsync(Task<Forwarder> starting)
    {
        var forwarder = await starting;
        _running.Add(forwarder);
        return forwarder.Port;
    }
}
