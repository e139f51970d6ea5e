using System.Reflection;
using System.Reflection.Emit;

namespace MutualAuth.Tests.Architecture;

/// <summary>The rooms of docs/architecture.md: each may use only those above it. Signatures, fields and method bodies are looked at.</summary>
public sealed class RoomsTests
{
    // Lowest first; the front door, which is the root namespace, last.
    private static readonly string[] s_rooms =
        ["Errors", "Names", "Evidence", "Telemetry", "Certificates", "Trust", "Validation", "Credentials", "Confirmation", "Handshake", "Connections", ""];

    private const BindingFlags Everything = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Assembly s_core = typeof(MutualTlsServer).Assembly;

    [Test]
    public void No_type_uses_a_later_room()
    {
        var violations =
            from type in s_core.GetTypes()
            where RoomOf(type) >= 0
            from used in TypesUsedBy(type).Distinct()
            where RoomOf(used) > RoomOf(type)
            select $"{type.FullName} -> {used.FullName}";

        violations.Should().BeEmpty();
    }

    [Test]
    public void Every_namespace_is_a_room()
    {
        var rooms = s_core.GetTypes().Select(type => type.Namespace).Where(space => space is not null && space.StartsWith("MutualAuth", StringComparison.Ordinal));

        rooms.Select(RoomName!).Distinct().Should().BeSubsetOf(s_rooms);
    }

    [Test]
    public void The_front_door_stays_small() =>
        s_core.GetExportedTypes().Where(type => type.Namespace == "MutualAuth" && !type.IsNested).Should().HaveCountLessThanOrEqualTo(8);

    [Test]
    public void Core_depends_on_nothing_but_the_framework_and_the_logging_abstractions()
    {
        var foreign = s_core.GetReferencedAssemblies().Select(assembly => assembly.Name!)
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal) && name is not ("System" or "netstandard" or "Microsoft.Win32.Primitives"));

        foreign.Should().Equal("Microsoft.Extensions.Logging.Abstractions");
    }

    [Test]
    public void The_check_sees_into_method_bodies()
    {
        var method = typeof(RoomsTests).GetMethod(nameof(BodyThatUsesAUri), BindingFlags.NonPublic | BindingFlags.Static)!;

        BodyTypes(method).Should().Contain(typeof(Uri));
    }

    private static string BodyThatUsesAUri() => new Uri("test:a").Scheme;

    private static int RoomOf(Type type)
    {
        while (type.HasElementType)
        {
            type = type.GetElementType()!;
        }

        return type.Assembly == s_core && type.Namespace is { } space && space.StartsWith("MutualAuth", StringComparison.Ordinal) ? Array.IndexOf(s_rooms, RoomName(space)) : -1;
    }

    private static string RoomName(string space) => space.Split('.') is [_, var room, ..] ? room : string.Empty;

    private static IEnumerable<Type> TypesUsedBy(Type type)
    {
        IEnumerable<Type?> used =
        [
            type.BaseType,
            .. type.GetInterfaces(),
            .. type.GetFields(Everything).Select(field => field.FieldType),
            .. type.GetMethods(Everything).SelectMany(method => BodyTypes(method).Concat(method.GetParameters().Select(parameter => parameter.ParameterType)).Append(method.ReturnType)),
            .. type.GetConstructors(Everything).SelectMany(constructor => BodyTypes(constructor).Concat(constructor.GetParameters().Select(parameter => parameter.ParameterType))),
        ];
        return used.OfType<Type>().SelectMany(Flatten);
    }

    private static IEnumerable<Type> Flatten(Type type) =>
        type.IsGenericType ? type.GetGenericArguments().SelectMany(Flatten).Append(type) : [type];

    /// <summary>The types whose members a body calls, reads or makes: every metadata token of its instructions, resolved.</summary>
    private static IEnumerable<Type> BodyTypes(MethodBase method)
    {
        var il = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (var at = 0; at < il.Length;)
        {
            var code = il[at] == 0xfe ? s_opCodes[(short)(0xfe00 | il[at + 1])] : s_opCodes[il[at]];
            at += code.Size;
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                foreach (var type in Resolve(method, BitConverter.ToInt32(il, at)))
                {
                    yield return type;
                }
            }

            at += OperandSize(code, il, at);
        }
    }

    private static IEnumerable<Type> Resolve(MethodBase method, int token)
    {
        var typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        return method.Module.ResolveMember(token, typeArguments, methodArguments) switch
        {
            Type type => Flatten(type),
            { DeclaringType: { } declaring } => Flatten(declaring),
            _ => [],
        };
    }

    private static int OperandSize(OpCode code, byte[] il, int at) => code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
        _ => 4,
    };

    private static readonly Dictionary<short, OpCode> s_opCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);
}
