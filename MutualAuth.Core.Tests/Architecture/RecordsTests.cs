using System.Collections.Immutable;
using System.Reflection;
using MutualAuth.Authorization;
using MutualAuth.Certificates;
using MutualAuth.Credentials;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Architecture;

/// <summary>Public records compare by value, and a member that is added to one breaks no compiled program.</summary>
public sealed class RecordsTests
{
    private static readonly Type[] s_records =
        [.. typeof(MutualTlsServer).Assembly.GetExportedTypes().Where(type => type.GetMethod("<Clone>$") is not null)];

    /// <summary>An immutable array compares by reference: a field of that type would make its record do so too.</summary>
    [Test]
    public void No_record_has_a_field_that_compares_by_reference_where_a_collection_is_meant()
    {
        var fields = s_records.SelectMany(record => record.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public));

        s_records.Should().HaveCountGreaterThan(20);
        fields.Where(field => field.FieldType.IsGenericType && field.FieldType.GetGenericTypeDefinition() == typeof(ImmutableArray<>))
            .Select(field => $"{field.DeclaringType!.Name}.{field.Name}").Should().BeEmpty();
    }

    [Test]
    public void No_record_is_positional() => s_records.Where(record => record.GetMethod("Deconstruct") is not null).Should().BeEmpty();

    [Test]
    public void Two_bindings_to_one_certificate_are_equal_and_one_to_another_is_not()
    {
        using var authority = new TestAuthority();
        using var server = authority.IssueServer("server.test");
        using var other = authority.IssueServer("server.test");
        var certificate = Certificate.Parse(server.Certificate.RawData);

        ChannelBinding.OfServerCertificate(certificate).Should().Be(ChannelBinding.OfServerCertificate(certificate));
        ChannelBinding.OfServerCertificate(Certificate.Parse(other.Certificate.RawData)).Should()
            .NotBe(ChannelBinding.OfServerCertificate(certificate));
    }

    [Test]
    public void Options_with_equal_protocols_are_equal_and_with_others_are_not()
    {
        using var world = new World();
        var options = world.ServerOptions with { ApplicationProtocols = ["a", "b"] };

        (options with { ApplicationProtocols = ["a", "b"] }).Should().Be(options);
        (options with { ApplicationProtocols = ["b", "a"] }).Should().NotBe(options);
    }
}
