using System.Reflection;
using System.Reflection.Emit;
using System.Text.RegularExpressions;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Architecture;

/// <summary>
/// The rooms of docs/architecture.md: a room is a folder, and each may use only those above it. Signatures, fields and method bodies are looked at.
/// The namespace says less than the folder: the front door gathers types of many rooms, and the parts of one room share its namespace.
/// </summary>
public sealed partial class RoomsTests
{
    private const int MostFilesInARoom = 25;

    // Lowest first; the root, which holds the three roles and their options, last.
    private static readonly string[] s_rooms =
    [
        "Errors", "Collections", "Asn1", "Names", "Evidence", "Telemetry", "Certificates/Qualified", "Certificates", "Reloading", "Audit",
        "Identities", "Paths/Subtrees", "Paths/Rules", "Paths", "Revocation", "Revocation/Succession", "Revocation/Fetching", "Trust",
        "Authorization/Peers", "Authorization", "Pinning", "Validation", "Callbacks", "Expiry", "Ocsp",
        "Credentials/Stringprep", "Credentials/Passwords", "Credentials/Facts", "Credentials/Stores", "Credentials/Encryption",
        "Credentials/Limits", "Credentials/Binding",
        "Credentials/Users", "Credentials/Factors", "Credentials/Sasl",
        "Credentials/Mechanisms", "Credentials/Reconnect",
        "Credentials", "Confirmation", "Confirmation/Login", "Credentials/StepUp", "Hello", "Platforms/Facts", "Platforms/Probing",
        "Platforms", "Transport", "Handshake", "Connections",
        "Revalidation", "",
    ];

    private const BindingFlags Everything =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Assembly s_core = typeof(MutualTlsServer).Assembly;

    private static readonly string s_root = Path.Combine(DocumentationPage.Root, "MutualAuth.Core");

    private static readonly Dictionary<string, string> s_roomOfType = Files().SelectMany(file =>
        DeclaredTypes().Matches(File.ReadAllText(file)).Select(match => (Name: match.Groups[1].Value, Room: RoomOfFile(file))))
        .DistinctBy(type => type.Name).ToDictionary(type => type.Name, type => type.Room);

    [Test]
    public void No_type_uses_a_later_room()
    {
        var violations =
            from type in s_core.GetTypes()
            where RoomOf(type) >= 0
            from used in TypesUsedBy(type).Distinct()
            where RoomOf(used) > RoomOf(type)
            select $"{s_rooms[RoomOf(type)]}: {type.FullName} -> {s_rooms[RoomOf(used)]}: {used.FullName}";

        violations.Should().BeEmpty();
    }

    [Test]
    public void Every_folder_is_a_room_and_no_room_is_empty() => Files().Select(RoomOfFile).Distinct().Should().BeEquivalentTo(s_rooms);

    [Test]
    public void No_room_holds_more_files_than_a_reader_can_keep_in_mind() =>
        Files().GroupBy(RoomOfFile).Where(room => room.Count() > MostFilesInARoom).Select(room => $"{room.Key}: {room.Count()}").Should().BeEmpty();

    [Test]
    public void Every_type_stands_in_a_room()
    {
        var homeless = s_core.GetTypes().Where(type => IsOurs(type) && RoomOf(type) < 0).Select(type => type.FullName);

        homeless.Should().BeEmpty();
    }

    /// <summary>A type's namespace is the front door's or that of its room: the first part of its folder.</summary>
    [Test]
    public void A_namespace_is_the_front_door_or_the_room()
    {
        var strays =
            from type in s_core.GetTypes()
            where IsOurs(type) && type.Namespace != "MutualAuth" && type.Namespace != "MutualAuth." + s_rooms[RoomOf(type)].Split('/')[0]
            select type.FullName;

        strays.Should().BeEmpty();
    }

    /// <summary>What a first program of either role names. A type that joins them must be one that such a program cannot do without.</summary>
    [Test]
    public void The_front_door_holds_what_a_first_program_names() =>
        s_core.GetExportedTypes().Where(type => type.Namespace == "MutualAuth" && !type.IsNested).Select(type => type.Name).Should().BeEquivalentTo(
            "MutualTlsClient", "MutualTlsClientOptions", "MutualTlsServer", "MutualTlsServerOptions", "MutualTlsListener", "MutualTlsListenerOptions",
            "MutualTlsConnection", "Identity", "ClientIdentity", "IdentityFiles", "IIdentitySource", "TrustAnchors", "TrustAnchorFiles",
            "ITrustSource",
            "Authorize", "AuthorizationRule", "AuthenticatedPeer", "AuthenticatedUser", "PeerProofs", "PeerName", "PeerNameKind", "PeerRole",
            "ServerName", "SessionFacts", "TlsVersion", "KeyExchangeGroup", "KeyExchangePolicy",
            "ClientHello", "ServerSelector", "ConfirmationPolicy", "RevalidationPolicy", "Invalidation",
            "InvalidationAction", "HandshakeLimits", "CertificateLimits", "TcpKeepAlive", "WatchOptions", "HandshakeException", "HandshakeFailure",
            "Rejection", "RejectionReason", "RejectionReasons", "PublicReason", "PublicReasons", "ConnectionEndedException", "ConnectionEnd",
            "ListenerStoppedException", "MaterialException", "MaterialProblem", "MutualAuthTelemetry");

    [Test]
    public void Core_depends_on_nothing_but_the_framework_and_the_logging_abstractions()
    {
        var foreign = s_core.GetReferencedAssemblies().Select(assembly => assembly.Name!)
            .Where(
                name => !name.StartsWith("System.", StringComparison.Ordinal)
                    && name is not ("System" or "netstandard" or "Microsoft.Win32.Primitives"));

        foreign.Should().Equal("Microsoft.Extensions.Logging.Abstractions");
    }

    [Test]
    public void The_check_sees_into_method_bodies()
    {
        var method = typeof(RoomsTests).GetMethod(nameof(BodyThatUsesAUri), BindingFlags.NonPublic | BindingFlags.Static)!;

        BodyTypes(method).Should().Contain(typeof(Uri));
    }

    private static string BodyThatUsesAUri() => new Uri("test:a").Scheme;

    private static IEnumerable<string> Files() => Directory.EnumerateFiles(s_root, "*.cs", SearchOption.AllDirectories);

    private static string RoomOfFile(string file) =>
        Path.GetRelativePath(s_root, Path.GetDirectoryName(file)!).Replace('\\', '/') is var room and not "." ? room : string.Empty;

    /// <summary>The types that a file declares at its top level.</summary>
    [GeneratedRegex(
        @"^(?:(?:public|internal|sealed|abstract|static|readonly|ref|partial|unsafe) )*"
        + @"(?:class|record struct|record|struct|interface|enum|delegate [^;(]+?) ?\b(\w+)(?=\s*[<(:;{\r\n])",
        RegexOptions.Multiline)]
    private static partial Regex DeclaredTypes();

    private static bool IsOurs(Type type) => type.Assembly == s_core
        && type.Namespace is { } space
        && (space == "MutualAuth" || space.StartsWith("MutualAuth.", StringComparison.Ordinal));

    private static int RoomOf(Type type)
    {
        while (type.HasElementType)
        {
            type = type.GetElementType()!;
        }

        if (!IsOurs(type))
        {
            return -1;
        }

        while (type.DeclaringType is { } outer)
        {
            type = outer;
        }

        return s_roomOfType.TryGetValue(type.Name.Split('`')[0], out var room) ? Array.IndexOf(s_rooms, room) : -1;
    }

    private static IEnumerable<Type> TypesUsedBy(Type type)
    {
        IEnumerable<Type?> used =
        [
            type.BaseType,
            .. type.GetInterfaces(),
            .. type.GetFields(Everything).Select(field => field.FieldType),
            .. type.GetMethods(Everything).SelectMany(
                method => BodyTypes(method).Concat(method.GetParameters().Select(parameter => parameter.ParameterType)).Append(method.ReturnType)),
            .. type.GetConstructors(Everything).SelectMany(
                constructor => BodyTypes(constructor).Concat(constructor.GetParameters().Select(parameter => parameter.ParameterType))),
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
