using System.Net;

namespace MutualAuth.Credentials;

/// <summary>Remembers which users have logged in from which addresses, so that strangers who only use a user's name do not count against the user.</summary>
/// <remarks>Held in this process, for the last 16,384 pairs of user and address. Safe for use from many threads.</remarks>
internal sealed class FamiliarLogins
{
    internal const int MaxPairs = 16_384;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string User, IPAddress Address), LinkedListNode<(string User, IPAddress Address)>> _pairs = [];
    private readonly LinkedList<(string User, IPAddress Address)> _byAge = new();

    internal bool Contains(LoginAttempt attempt)
    {
        lock (_lock)
        {
            return _pairs.ContainsKey(KeyOf(attempt));
        }
    }

    /// <summary>The user has logged in. Attempts without a name are not remembered: they say nothing of anybody.</summary>
    internal void Add(LoginAttempt attempt)
    {
        if (attempt.UserName.Length == 0)
        {
            return;
        }

        var key = KeyOf(attempt);
        lock (_lock)
        {
            if (_pairs.Remove(key, out var node))
            {
                _byAge.Remove(node);
            }
            else if (_pairs.Count >= MaxPairs)
            {
                _pairs.Remove(_byAge.First!.Value);
                _byAge.RemoveFirst();
            }

            _pairs.Add(key, _byAge.AddLast(key));
        }
    }

    private static (string User, IPAddress Address) KeyOf(LoginAttempt attempt) => (attempt.UserName, KeyDerivation.KeyOf(attempt.Address));
}
