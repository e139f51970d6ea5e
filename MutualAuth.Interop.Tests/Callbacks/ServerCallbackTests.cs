using System.Net.Security;
using MutualAuth.Callbacks;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Callbacks;

/// <summary>
/// A client library that is not ours, at the server that it is for, which demands a certificate: the certificate stage decides in the library's
/// callback. Each test uses the connection for something, and each rejection differs in one fact from what is accepted.
/// </summary>
[CancelAfter(120000)]
public abstract class ServerCallbackTests
{
    private List<CallbackJudgement> _judged = [];
    private IAsyncDisposable? _server;

    private protected ServiceMaterial Material { get; private set; } = null!;

    /// <summary>Starts the server, and makes what the tests need there. Disposing of it ends it.</summary>
    private protected abstract Task<IAsyncDisposable> StartAsync(ServiceMaterial material);

    /// <summary>Connects, uses the connection, and closes it; throws when it cannot.</summary>
    private protected abstract Task UseAsync(RemoteCertificateValidationCallback judge, TestCertificate? client, CancellationToken cancellationToken);

    /// <summary>Whether the library's callback is called by the stream, which knows the name.</summary>
    private protected virtual bool CalledByTheStream => true;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        Material = new ServiceMaterial();
        _server = await StartAsync(Material);
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        Material?.Dispose();
    }

    /// <summary>A list of each test's own: a library that tries again in the background may still ask for what the test before it said.</summary>
    [SetUp]
    public void Forget() => _judged = [];

    [Test]
    public async Task It_connects_to_the_server_that_the_stage_accepts(CancellationToken cancellationToken)
    {
        await UseAsync(Callbacks(Options).ForServer(ServiceMaterial.ServerName), Material.Client, cancellationToken);

        _judged.Should().NotBeEmpty().And.OnlyContain(judged => judged.Peer!.Name == ServiceMaterial.ServerName);
    }

    [TestCase("another authority", RejectionReason.UnknownAuthority)]
    [TestCase("revoked", RejectionReason.CertificateRevoked)]
    [TestCase("another name", RejectionReason.ServerNameMismatch)]
    public async Task It_does_not_connect_to_one_that_the_stage_rejects(string fact, RejectionReason expected, CancellationToken cancellationToken)
    {
        var options = fact switch
        {
            "another authority" => Options with { Trust = Material.Foreign.ToTrustAnchors() },
            "revoked" => Options with { Revocation = Material.Lists(Material.Server) },
            _ => Options,
        };
        var judge = Callbacks(options).ForServer(fact == "another name" ? "elsewhere.test" : ServiceMaterial.ServerName);

        var connecting = () => UseAsync(judge, Material.Client, cancellationToken);

        await connecting.Should().ThrowAsync<Exception>();
        _judged.Should().NotBeEmpty().And.OnlyContain(judged => judged.Rejection!.Reason == expected);
    }

    [Test]
    public async Task The_name_comes_from_the_stream_where_the_library_lets_it_through(CancellationToken cancellationToken)
    {
        var connecting = () => UseAsync(Callbacks(Options).ForServer(), Material.Client, cancellationToken);

        if (CalledByTheStream)
        {
            await connecting.Should().NotThrowAsync();
        }
        else
        {
            await connecting.Should().ThrowAsync<Exception>();
            _judged.Should().NotBeEmpty().And.OnlyContain(judged => judged.Rejection!.Reason == RejectionReason.ServerNameMismatch);
        }
    }

    /// <summary>Proves that the server demands a certificate, and checks it: all of the above are mutual.</summary>
    [TestCase("none")]
    [TestCase("of another authority")]
    public async Task The_server_refuses_a_client_that_it_does_not_know(string certificate, CancellationToken cancellationToken)
    {
        var connecting = () => UseAsync(
            Callbacks(Options).ForServer(ServiceMaterial.ServerName), certificate == "none" ? null : Material.Stranger, cancellationToken);

        await connecting.Should().ThrowAsync<Exception>();
        _judged.Should().NotBeEmpty().And.OnlyContain(judged => judged.Rejection == null);
    }

    [Test]
    public async Task In_shadow_mode_it_connects_and_says_that_it_would_not(CancellationToken cancellationToken)
    {
        await UseAsync(Callbacks(Options).ShadowForServer((_, _, _, _) => true, "elsewhere.test"), Material.Client, cancellationToken);

        _judged.Should().NotBeEmpty().And.OnlyContain(
            judged => judged.IsShadow && judged.OtherAccepted == true && judged.Rejection!.Reason == RejectionReason.ServerNameMismatch);
    }

    [Test]
    public async Task In_shadow_mode_a_yes_of_ours_connects_no_one(CancellationToken cancellationToken)
    {
        var judge = Callbacks(Options).ShadowForServer((_, _, _, _) => false, ServiceMaterial.ServerName);

        var connecting = () => UseAsync(judge, Material.Client, cancellationToken);

        await connecting.Should().ThrowAsync<Exception>();
        _judged.Should().NotBeEmpty().And.OnlyContain(judged => judged.OtherAccepted == false && judged.Rejection == null);
    }

    /// <summary>The server once it has said that it is ready; one that does not say so is ended.</summary>
    private protected static async Task<IAsyncDisposable> OnceReadyAsync(IAsyncDisposable server, Task ready)
    {
        try
        {
            await ready;
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private CertificateStageOptions Options =>
        new() { Trust = Material.Trust, Authorization = Authorize.ServerName, Revocation = Material.Lists() };

    private ValidationCallbacks Callbacks(CertificateStageOptions options)
    {
        var mine = _judged;
        return new(new CertificateStage(options), new ValidationCallbackOptions
        {
            OnJudged = judged =>
            {
                lock (mine)
                {
                    mine.Add(judged);
                }
            },
        });
    }
}
