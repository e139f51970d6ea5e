using MutualAuth.Authorization;

namespace MutualAuth.Validation;

/// <summary>How many connections one user, and one device, may have at a time. Give the same object to all servers that count together.</summary>
/// <remarks>
/// <para>A user is counted by its name, whatever it acts as; a device by the first name of its certificate, so that a renewed certificate is the same
/// device. A peer without a certificate is counted as a user only, and one without a user as a device only.</para>
/// <para>A handshake is counted from the moment at which everything else has accepted the peer, a connection until it has ended: one that drains is
/// counted. A handshake that fails gives its place back. No place is held by a peer that has not proven who it is. Counts are held in this process.
/// Safe for use from many threads.</para>
/// </remarks>
/// <example><code>var limits = new SessionLimits { MaxPerUser = 1, WhenFull = WhenSessionsAreFull.EndOldest };</code></example>
public sealed class SessionLimits
{
    private const int Highest = 1_000_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedList<SessionPlace>> _users = new(StringComparer.Ordinal);
    private readonly Dictionary<PeerName, LinkedList<SessionPlace>> _devices = [];

    /// <summary>How many connections one user may have. Default: null, no limit; 1 to 1,000,000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of range.</exception>
    public int? MaxPerUser { get; init => field = Checked(value); }

    /// <summary>How many connections one device may have. Default: null, no limit; 1 to 1,000,000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of range.</exception>
    public int? MaxPerDevice { get; init => field = Checked(value); }

    /// <summary>What happens to one more. Default: <see cref="WhenSessionsAreFull.Refuse"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none of them.</exception>
    public WhenSessionsAreFull WhenFull
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Not a way to treat one more.");
    } = WhenSessionsAreFull.Refuse;

    /// <summary>How many sessions the user has now, those included whose handshake is about to be accepted, where one more is refused.</summary>
    /// <param name="userName">The name, as <see cref="AuthenticatedUser.Name"/> has it.</param>
    /// <exception cref="ArgumentNullException"><paramref name="userName"/> is null.</exception>
    public int CountOfUser(string userName)
    {
        ArgumentNullException.ThrowIfNull(userName);
        lock (_lock)
        {
            return _users.TryGetValue(userName, out var sessions) ? sessions.Count : 0;
        }
    }

    /// <summary>How many sessions the device has now, those included whose handshake is about to be accepted, where one more is refused.</summary>
    /// <param name="device">The first name of its certificate, of <see cref="AuthenticatedPeer.ProvenNames"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    public int CountOfDevice(PeerName device)
    {
        ArgumentNullException.ThrowIfNull(device);
        lock (_lock)
        {
            return _devices.TryGetValue(device, out var sessions) ? sessions.Count : 0;
        }
    }

    /// <summary>How many users and devices are held, for tests.</summary>
    internal int Keys
    {
        get
        {
            lock (_lock)
            {
                return _users.Count + _devices.Count;
            }
        }
    }

    /// <summary>Takes a place for a peer that everything else has accepted.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="place">The place, which the caller gives back unless a connection takes it over.</param>
    /// <returns>Why there is none; null when there is.</returns>
    internal Rejection? TryTake(AuthenticatedPeer peer, out SessionPlace? place)
    {
        place = null;
        var user = MaxPerUser is null ? null : peer.User?.Name;
        var device = MaxPerDevice is null || peer.Certificate is not { } certificate ? null : PeerNames.Of(certificate);
        lock (_lock)
        {
            if (WhenFull == WhenSessionsAreFull.Refuse)
            {
                if (user is not null && _users.TryGetValue(user, out var ofUser) && ofUser.Count >= MaxPerUser)
                {
                    return Full("the user", MaxPerUser.Value);
                }

                if (device is not null && _devices.TryGetValue(device, out var ofDevice) && ofDevice.Count >= MaxPerDevice)
                {
                    return Full("the device", MaxPerDevice.Value);
                }
            }

            place = new SessionPlace(this) { User = user, Device = device };
            if (WhenFull == WhenSessionsAreFull.Refuse)
            {
                Enter(place);
            }

            return null;
        }
    }

    /// <summary>
    /// The place belongs to a connection now. Where the oldest have to give way, they are no longer counted from here on, and are to be ended by the
    /// caller. For a handshake that is not complete, and a connection that has ended, none gives way.
    /// </summary>
    internal IReadOnlyList<(SessionPlace Place, Rejection Rejection)> Establish(SessionPlace place)
    {
        List<(SessionPlace, Rejection)> oldest = [];
        lock (_lock)
        {
            if (WhenFull == WhenSessionsAreFull.EndOldest && !place.IsOver)
            {
                Enter(place);
                TakeOldest(place.InUser?.List, MaxPerUser, "user", oldest);
                TakeOldest(place.InDevice?.List, MaxPerDevice, "device", oldest);
            }
        }

        return oldest;
    }

    internal void GiveBack(SessionPlace place)
    {
        lock (_lock)
        {
            place.IsOver = true;
            Leave(place);
        }
    }

    private void Enter(SessionPlace place)
    {
        place.InUser = place.User is { } user ? Add(_users, user, place) : null;
        place.InDevice = place.Device is { } device ? Add(_devices, device, place) : null;
    }

    private void Leave(SessionPlace place)
    {
        Remove(_users, place.User, place.InUser);
        Remove(_devices, place.Device, place.InDevice);
        place.InUser = place.InDevice = null;
    }

    private void TakeOldest(LinkedList<SessionPlace>? sessions, int? most, string whose, List<(SessionPlace, Rejection)> oldest)
    {
        while (sessions?.Count > most)
        {
            var place = sessions.First!.Value;
            Leave(place);
            oldest.Add((place, new Rejection(RejectionReason.SessionReplaced, $"at most {most} sessions of one {whose}", "a newer one of the same")));
        }
    }

    private static LinkedListNode<SessionPlace> Add<TKey>(Dictionary<TKey, LinkedList<SessionPlace>> all, TKey key, SessionPlace place)
        where TKey : notnull
    {
        if (!all.TryGetValue(key, out var sessions))
        {
            all.Add(key, sessions = []);
        }

        return sessions.AddLast(place);
    }

    private static void Remove<TKey>(Dictionary<TKey, LinkedList<SessionPlace>> all, TKey? key, LinkedListNode<SessionPlace>? node)
        where TKey : class
    {
        if (node?.List is not { } sessions)
        {
            return;
        }

        sessions.Remove(node);
        if (sessions.Count == 0)
        {
            all.Remove(key!);
        }
    }

    private static Rejection Full(string whose, int most) =>
        new(RejectionReason.TooManySessions, $"fewer than {most} sessions of {whose}", $"one more than {most}")
        {
            Hint = $"They end with their connections. {nameof(SessionLimits)}.{nameof(WhenFull)} says what happens to one more.",
        };

    private static int? Checked(int? most) => most is null or (>= 1 and <= Highest)
        ? most
        : throw new ArgumentOutOfRangeException(nameof(most), most, $"Expected 1 to {Highest}, or null for no limit.");
}
