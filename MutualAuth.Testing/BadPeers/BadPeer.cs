using System.Runtime.CompilerServices;

namespace MutualAuth.Testing.BadPeers;

/// <summary>One kind of peer that must be rejected: its story, the rule that it breaks, and the reason that a correct implementation gives.</summary>
/// <remarks>Immutable. <see cref="Gallery"/> has them all.</remarks>
public sealed class BadPeer
{
    private readonly Func<BadPeerBuilder, (TestCertificate? Bad, TestCertificate Good)> _make;
    private readonly bool _needsMLDsa;
    private readonly RejectionReason _reason;

    internal BadPeer(
        RejectionReason reason,
        string rule,
        string story,
        Func<BadPeerBuilder, (TestCertificate? Bad, TestCertificate Good)> make,
        [CallerMemberName] string name = "")
        : this(reason, rule, story, make, needsMLDsa: false, name)
    {
    }

    private BadPeer(
        RejectionReason reason,
        string rule,
        string story,
        Func<BadPeerBuilder, (TestCertificate? Bad, TestCertificate Good)> make,
        bool needsMLDsa,
        string name)
    {
        Name = name;
        _reason = reason;
        Rule = rule;
        Story = story;
        _make = make;
        _needsMLDsa = needsMLDsa;
    }

    /// <summary>Its name: that of the property of <see cref="Gallery"/>.</summary>
    public string Name { get; }

    /// <summary>
    /// The reason that MutualAuth gives for the rejection. Where it takes ML-DSA to find it and the platform has none, that is
    /// <see cref="RejectionReason.AlgorithmNotSupported"/>.
    /// </summary>
    public RejectionReason Reason =>
        _needsMLDsa && !System.Security.Cryptography.MLDsa.IsSupported ? RejectionReason.AlgorithmNotSupported : _reason;

    /// <summary>The rule that it breaks, by document and section.</summary>
    public string Rule { get; }

    /// <summary>What it presents and what it hopes for, in a sentence or two.</summary>
    public string Story { get; }

    /// <summary>The vulnerability or incident that it stands for; null when it stands for a plain mistake.</summary>
    public string? Incident { get; private init; }

    /// <summary>What the judge must look at for it to be bad. Default: nothing beyond the path.</summary>
    public RequiredCheck RequiredCheck { get; private init; } = RequiredCheck.Nothing;

    /// <summary>The part that it can play; null when it can play both.</summary>
    public PeerRole? OnlyAs { get; private init; }

    /// <summary>Whether it can be shown in TLS 1.3 alone, because its own key has no signatures in TLS 1.2.</summary>
    internal bool NeedsTls13 { get; private init; }

    /// <summary>Whether it can play <paramref name="role"/>.</summary>
    public bool Plays(PeerRole role) => OnlyAs is null || OnlyAs == role;

    /// <summary>Makes it, and its good neighbour, for the authority that the judge trusts.</summary>
    /// <param name="authority">
    /// The root that the judge trusts; not owned. It lives through the gallery unchanged: nothing of its own is revoked.
    /// </param>
    /// <param name="role">The part that the peer plays.</param>
    /// <param name="names">The names of good neighbours; null for the usual ones.</param>
    /// <returns>The exhibit, which the caller disposes.</returns>
    /// <exception cref="ArgumentException">
    /// It cannot play <paramref name="role"/>, or a name is empty or has no form in ASCII.
    /// </exception>
    public BadPeerCase Make(TestAuthority authority, PeerRole role, GalleryNames? names = null) => Make(authority, role, names, trap: null);

    internal BadPeerCase Make(TestAuthority authority, PeerRole role, GalleryNames? names, string? trap)
    {
        ArgumentNullException.ThrowIfNull(authority);
        if (!Plays(role))
        {
            throw new ArgumentException($"{Name} plays the part of a {OnlyAs} only.", nameof(role));
        }

        var scene = new BadPeerBuilder(authority, role, names ?? new GalleryNames(), trap);
        var (bad, good) = _make(scene);
        return new BadPeerCase(this, scene, bad, good);
    }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;

    internal BadPeer With(
        string? incident = null, RequiredCheck? demand = null, PeerRole? onlyAs = null, bool? needsMLDsa = null, bool? needsTls13 = null) =>
        new(_reason, Rule, Story, _make, needsMLDsa ?? _needsMLDsa, Name)
        {
            Incident = incident ?? Incident,
            RequiredCheck = demand ?? RequiredCheck,
            OnlyAs = onlyAs ?? OnlyAs,
            NeedsTls13 = needsTls13 ?? NeedsTls13,
        };

    /// <summary>A peer whose own certificate is wrong.</summary>
    internal static BadPeer Leaf(
        RejectionReason reason,
        string rule,
        string story,
        Func<CertificateSpec, BadPeerBuilder, CertificateSpec> wrong,
        Func<CertificateSpec, BadPeerBuilder, CertificateSpec>? right = null,
        [CallerMemberName] string name = "") =>
        new(reason, rule, story, scene => (scene.Leaf(spec => wrong(spec, scene)), scene.Leaf(spec => right?.Invoke(spec, scene) ?? spec)), name);

    /// <summary>A peer whose own certificate is right, beneath an intermediate that is wrong.</summary>
    internal static BadPeer Under(
        RejectionReason reason,
        string rule,
        string story,
        Func<CertificateSpec, BadPeerBuilder, CertificateSpec> wrong,
        Func<CertificateSpec, BadPeerBuilder, CertificateSpec>? right = null,
        [CallerMemberName] string name = "") =>
        new(
            reason,
            rule,
            story,
            scene => (
                scene.Leaf(issuer: scene.Intermediate(spec => wrong(spec, scene))),
                scene.Leaf(issuer: scene.Intermediate(spec => right?.Invoke(spec, scene) ?? spec))),
            name);
}
