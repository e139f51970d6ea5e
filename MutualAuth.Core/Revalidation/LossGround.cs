namespace MutualAuth.Revalidation;

/// <summary>What a connection was lost on, and so what makes it good again where it was only notified.</summary>
internal enum LossGround
{
    /// <summary>The certificate, or something that passes.</summary>
    Certificate,

    /// <summary>The user.</summary>
    User,

    /// <summary>What validators say of the peer.</summary>
    Facts,

    /// <summary>Only re-authentication makes it good, if anything.</summary>
    Final,
}
