using System.Net.Security;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using Npgsql;

namespace MutualAuth.Tests.Callbacks;

/// <summary>Npgsql at PostgreSQL, whose <c>cert</c> method takes the role from the client's certificate.</summary>
[TestFixture]
public sealed class NpgsqlTests : ServerCallbackTests
{
    private int _port;

    private protected override async Task<IAsyncDisposable> StartAsync(ServiceMaterial material)
    {
        var cluster = await PostgresCluster.StartAsync(material);
        _port = cluster.Port!.Value;
        await using var source = cluster.Open("postgres");
        await using var command = source.CreateCommand($"CREATE ROLE \"{ServiceMaterial.ClientName}\" LOGIN");
        await command.ExecuteNonQueryAsync();
        return cluster;
    }

    private protected override async Task UseAsync(
        RemoteCertificateValidationCallback judge, TestCertificate? client, CancellationToken cancellationToken)
    {
        var connectionString = $"Host={ServiceMaterial.ServerName};Port={_port};Username={ServiceMaterial.ClientName};Database=postgres;"
            + "SSL Mode=Require;GSS Encryption Mode=Disable;Pooling=false;Timeout=20";
        var context = client?.ToSslContext();
        // snippet
        var builder = new NpgsqlDataSourceBuilder(connectionString);    // SSL Mode=Require
        builder.UseSslClientAuthenticationOptionsCallback(tls =>
        {
            tls.AllowTlsResume = false;
            tls.ClientCertificateContext = context;
            tls.RemoteCertificateValidationCallback = judge;            // callbacks.ForServer()
        });
        await using var source = builder.Build();
        // end
        await using var command = source.CreateCommand("SELECT current_user");
        (await command.ExecuteScalarAsync(cancellationToken)).Should().Be(ServiceMaterial.ClientName);
    }
}
