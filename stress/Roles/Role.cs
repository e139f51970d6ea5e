using MutualAuth.Stress.Lives;

namespace MutualAuth.Stress.Roles;

/// <summary>What this program plays when it is started once more by a scenario.</summary>
internal static class Role
{
    internal static async Task<int> PlayAsync(string role, string[] words)
    {
        switch (role)
        {
            case "overflow":
                Control.Overflow();
                return 0;
            case "server":
                await ServerRole.RunAsync(words);
                return 0;
            case "honest":
                await HonestRole.RunAsync(words);
                return 0;
            case "attacker":
                await AttackerRole.RunAsync(words);
                return 0;
            case "storm-server":
                await StormServerRole.RunAsync(words);
                return 0;
            case "storm-clients":
                await StormClientsRole.RunAsync(words);
                return 0;
            default:
                throw new ArgumentException($"There is no role {role}.");
        }
    }
}
