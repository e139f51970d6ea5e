namespace MutualAuth.Tests.Support;

/// <summary>The one thing that is wrong with a certificate.</summary>
public enum Flaw
{
    OtherAuthority = 1,
    Expired = 2,
    WrongUsage = 3,
    WrongName = 4,
    AuthorityAsLeaf = 5,
}
