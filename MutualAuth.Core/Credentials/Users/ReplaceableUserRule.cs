using Microsoft.Extensions.Logging;
using MutualAuth.Reloading;

namespace MutualAuth.Credentials;

/// <summary>
/// A rule for users that the application replaces while the process runs. Users that are connected and that the new rule does not accept are no
/// longer valid. Used with <see cref="UserRules.From"/>.
/// </summary>
/// <param name="first">What counts until the first replacement.</param>
/// <param name="loggerFactory">Where replacements are logged; null means nowhere.</param>
/// <example>
/// <code>
/// var devices = new ReplaceableUserRule(UserRules.OfDevice(assignments));
/// var policy = Require.CertificateAndUser(SaslServer.Scram(store)) with { Users = UserRules.From(devices) };
/// devices.Replace(UserRules.OfDevice(fewerAssignments));
/// </code>
/// </example>
public sealed class ReplaceableUserRule(UserRule first, ILoggerFactory? loggerFactory = null)
    : Replaceable<UserRule>("user rules", first, value => value.ToString(), loggerFactory), IUserRuleSource;
