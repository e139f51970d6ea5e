using System.Reflection;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Architecture;

/// <summary>One rule for all public enums: a value that somebody forgot is not valid.</summary>
public sealed class EnumsTests
{
    private static readonly Type[] s_enums =
    [
        .. typeof(MutualTlsServer).Assembly.GetExportedTypes().Concat(typeof(TestAuthority).Assembly.GetExportedTypes()).Where(type => type.IsEnum),
    ];

    [Test]
    public void Zero_is_the_value_of_no_enum()
    {
        var begun = s_enums.Where(type => type.GetCustomAttribute<FlagsAttribute>() is null && Enum.IsDefined(type, Enum.ToObject(type, 0)));

        s_enums.Should().HaveCountGreaterThan(20);
        begun.Should().BeEmpty();
    }

    [Test]
    public void Zero_is_None_in_flags() => s_enums.Where(type => type.GetCustomAttribute<FlagsAttribute>() is not null)
        .Select(type => Enum.GetName(type, Enum.ToObject(type, 0))).Should().NotBeEmpty().And.AllBe("None");
}
