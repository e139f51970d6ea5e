namespace MutualAuth.Snippets;

/// <summary>docs/getting-started.md, the last step</summary>
internal static class GettingStartedRule
{
    internal static void Two()
    {
        // snippet
        var rule = Authorize.AnyOf(Authorize.Dns("alice.test"), Authorize.Dns("mallory.test"));
        // end
    }
}
