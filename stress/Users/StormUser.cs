using System.Globalization;
using MutualAuth.Credentials;

namespace MutualAuth.Stress.Users;

/// <summary>Where a user stands, as the scenario knows it.</summary>
internal enum Standing
{
    /// <summary>Nothing of it is under way, and it has no connection.</summary>
    Away = 1,

    /// <summary>It logs in.</summary>
    LoggingIn = 2,

    /// <summary>It has a connection, which must not end.</summary>
    Live = 3,

    /// <summary>It was changed: its connection must end, at both ends.</summary>
    Doomed = 4,

    /// <summary>Its connection has ended, and a stranger tries its password.</summary>
    Guessed = 5,

    /// <summary>The stranger was refused.</summary>
    Refused = 6,

    /// <summary>It was changed back, and will log in again.</summary>
    Restored = 7,

    /// <summary>Something went wrong with it, which has been counted: it is left alone.</summary>
    Lost = 8,
}

/// <summary>What is changed about a user while it is connected.</summary>
internal enum Change
{
    Disable = 1,
    Remove = 2,
    Password = 3,
    Device = 4,
}

/// <summary>A user, what was done to it, and what both ends have said about its connection since.</summary>
internal sealed class StormUser(int number)
{
    internal const int FirstVersion = 1;
    private const int Versions = 8;

    // Two for each version would do as well: it is the digest of the verifier that counts, and deriving one takes milliseconds.
    private static readonly ScramVerifier[] s_verifiers =
        [.. Enumerable.Range(0, Versions).Select(version => ScramVerifier.Create(PasswordOf(version), iterations: ScramVerifier.MinIterations))];

    internal string Name { get; } = string.Create(CultureInfo.InvariantCulture, $"user{number}");

    internal int Version { get; set; } = FirstVersion;

    internal Standing Standing { get; set; } = Standing.Away;

    internal Change Change { get; set; }

    /// <summary>Whether the change is in force, and not yet undone.</summary>
    internal bool IsChanged { get; set; }

    internal bool IsDisabled => IsChanged && Change == Change.Disable;

    internal bool IsRemoved => IsChanged && Change == Change.Remove;

    /// <summary>When it came to where it stands, as a timestamp.</summary>
    internal long Since { get; set; }

    /// <summary>How often it was refused since it was restored.</summary>
    internal int Refusals { get; set; }

    internal bool HasEndedAtServer { get; set; }

    internal bool HasEndedAtClient { get; set; }

    internal ScramVerifier Verifier => s_verifiers[Version % Versions];

    /// <summary>The reason that the server's end must give.</summary>
    internal string ExpectedReason => Change switch
    {
        Change.Disable => "user_disabled",
        Change.Remove => "user_removed",
        Change.Password => "password_changed",
        Change.Device => "user_not_allowed",
        _ => throw new InvalidOperationException("There is no fifth change."),
    };

    /// <summary>A user who is never changed.</summary>
    internal static string Steady(int number) => string.Create(CultureInfo.InvariantCulture, $"steady{number}");

    /// <summary>Every other user comes with a certificate beside its password.</summary>
    internal static bool HasCertificate(string name) => name[^1] % 2 == 0;

    internal static Password PasswordOf(int version) =>
        Password.From(string.Create(CultureInfo.InvariantCulture, $"correct horse {version % Versions}"));

    internal void Become(Standing standing, long now)
    {
        Standing = standing;
        Since = now;
    }
}
