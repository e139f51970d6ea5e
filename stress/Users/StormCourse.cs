using System.Diagnostics;
using System.Globalization;
using MutualAuth.Stress.Roles;
using MutualAuth.Stress.Strangers;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Users;

/// <summary>One run of a storm, as the administrator sees it.</summary>
internal sealed class StormCourse(Run run, string store)
{
    internal const int Users = 10_000;
    internal const double SecondsOfTheWhole = 420;
    private const int LoginsAtOnce = 64;
    private const int MostRefusals = 8;
    private const int MostOnTheirWay = 400;
    private const int MostAtOnce = 40;
    private const int LeastChanges = 8;
    private const double LivePerSecondOfStorm = 160; // 10,000 live ones are under a storm for a minute at least

    // The interval at which the store is looked at, the grace period of a drain, and what a machine that is full of work takes beside them.
    private static readonly TimeSpan s_promise = StormServerRole.Interval + StormServerRole.Grace + TimeSpan.FromSeconds(Lab.HasHeapChecks ? 28 : 8);

    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(100);

    // Between a change back and the login: what a server takes to see a changed file. A database is asked at each login.
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(1.5);

    private readonly Figures _figures = run.Figures;
    private readonly List<StormUser> _users = [.. Enumerable.Range(0, Users).Select(number => new StormUser(number))];
    private readonly Dictionary<string, StormUser> _byName = [];
    private readonly List<double> _delays = [];
    private Child _server = null!;
    private Child _clients = null!;
    private StormStore _store = null!;

    internal async Task RunAsync()
    {
        _figures.Forbid(
            "too-few", "missed", "ended-wrongly", "ended-for-another-reason", "let-in", "not-let-in-again", "handshakes-failed", "silent",
            "registry-differs", "server-died");
        using var material = new Material();
        using var ownedStore = _store = StormStore.Open(store, material.Folder);
        await _store.SeedAsync(_users);
        foreach (var user in _users)
        {
            _byName.Add(user.Name, user);
        }

        (_server, var said) = await Child.StartRoleAsync(["storm-server", material.Folder, store]);
        await using var ownedServer = _server;
        (_clients, _) = await Child.StartRoleAsync(["storm-clients", material.Folder, said[0]]);
        await using var ownedClients = _clients;

        var wanted = run.Least(Users, SecondsOfTheWhole, 60);
        await ConnectAsync(wanted);
        _figures.Count("users", Users);
        _figures.Count("connections", Of(Standing.Live));
        _figures.RequiredCheck(Of(Standing.Live) >= wanted, "too-few");
        await _clients.AskAsync("steady");
        await StormAsync(Math.Max(Math.Max(4, wanted / LivePerSecondOfStorm), run.Left.TotalSeconds * 0.6));
        await EndAsync();
    }

    private int Of(Standing standing) => _users.Count(user => user.Standing == standing);

    private async Task ConnectAsync(int wanted)
    {
        var began = Stopwatch.GetTimestamp();
        bool GoesOn(int done, TimeSpan elapsed) =>
            done < wanted ? elapsed < run.Time + Lab.Patience : elapsed < run.Time / 3 && run.GoesOn(done, Users, wanted);

        while (GoesOn(Of(Standing.Live) + Of(Standing.Lost), Stopwatch.GetElapsedTime(began)))
        {
            var now = Stopwatch.GetTimestamp();
            var room = Math.Min(LoginsAtOnce - Of(Standing.LoggingIn), Users - Of(Standing.Live) - Of(Standing.LoggingIn));
            await LogInAsync([.. _users.Where(user => user.Standing == Standing.Away).Take(room)], now);
            await TakeNewsAsync();
            await Task.Delay(s_tick);
        }
    }

    private async Task StormAsync(double seconds)
    {
        var began = Stopwatch.GetTimestamp();
        var before = _server.ProcessorTime;
        while (true)
        {
            var elapsed = Stopwatch.GetElapsedTime(began);
            if (elapsed.TotalSeconds < seconds)
            {
                await ChangeAsync();
            }
            else if (_users.TrueForAll(user => user.Standing is Standing.Away or Standing.Live or Standing.Lost))
            {
                break;
            }

            var asked = Stopwatch.GetTimestamp();
            await TakeNewsAsync();
            JudgeWhoIsLate(asked);
            await RestoreAsync();
            if (!_server.IsAlive)
            {
                _figures.Fault("server-died");
                _figures.Note("died-of", _server.LastError());
                return;
            }

            await Task.Delay(s_tick);
        }

        _figures.Note(
            "server",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{(_server.ProcessorTime - before) / Stopwatch.GetElapsedTime(began):F2} processors {_server.ResidentMiB:F0} MiB"));
    }

    /// <summary>Changes a few of those who are connected, as long as not more than a fifth of them, and 400, are on their way out or back.</summary>
    private async Task ChangeAsync()
    {
        StormUser[] live = [.. _users.Where(user => user.Standing == Standing.Live)];
        var onTheirWay = _users.Count(user => user.Standing is not (Standing.Away or Standing.Live or Standing.Lost));
        var room = Math.Min(Math.Min(live.Length / 5, MostOnTheirWay) - onTheirWay, Math.Min(2 + (live.Length / 50), MostAtOnce));
        if (room <= 0)
        {
            return;
        }

        StormUser[] changed = [.. Random.Shared.GetItems(live, room).Distinct()];
        foreach (var user in changed)
        {
            user.Change = (Change)Random.Shared.Next(1, 5);
            user.IsChanged = user.Change != Change.Password;
            user.Version += user.Change == Change.Password ? 1 : 0;
            user.HasEndedAtClient = user.HasEndedAtServer = false;
            user.Refusals = 0;
            _figures.Count("changes");

            // Before it is written, as it may be noticed before the call returns.
            user.Become(Standing.Doomed, Stopwatch.GetTimestamp());
        }

        await WriteAsync(changed, "take");
        var now = Stopwatch.GetTimestamp();
        foreach (var user in changed)
        {
            user.Since = now;
        }
    }

    private async Task WriteAsync(StormUser[] changed, string device)
    {
        StormUser[] withoutDevices = [.. changed.Where(user => user.Change == Change.Device)];
        if (withoutDevices.Length > 0)
        {
            await AskServerAsync($"{device} {string.Join(',', withoutDevices.Select(user => user.Name))}");
        }

        StormUser[] others = [.. changed.Where(user => user.Change != Change.Device)];
        if (others.Length > 0)
        {
            await _store.WriteAsync(others, _users);
        }
    }

    private async Task TakeNewsAsync()
    {
        await AskServerAsync("news");
        foreach (var word in await _clients.AskAsync("news"))
        {
            var (what, name, reason) = word.Split(':', '=') is var parts && parts.Length > 2
                ? (parts[0], parts[1], parts[2])
                : (parts[0], parts[1], string.Empty);
            Take(what, _byName[name], reason);
        }
    }

    /// <summary>Every answer of the server's holds its news.</summary>
    private async Task AskServerAsync(string line)
    {
        foreach (var word in await _server.AskAsync(line))
        {
            if (word.Split('=') is [var name, var reason] && _byName.TryGetValue(name, out var user))
            {
                Take("server-ended", user, reason);
            }
        }
    }

    private void Take(string what, StormUser user, string reason)
    {
        var now = Stopwatch.GetTimestamp();
        switch (what)
        {
            case "in":
                _figures.Count("logins");
                user.Become(Standing.Live, now);
                break;
            case "failed" when ++user.Refusals > MostRefusals:
                Lose(user, "not-let-in-again", reason);
                break;
            case "failed":
                _figures.Count("logins-repeated");
                user.Become(Standing.Restored, now);
                break;
            case "server-ended" or "out" when user.Standing is Standing.Doomed:
                user.HasEndedAtServer |= what != "out";
                user.HasEndedAtClient |= what == "out";
                if (what != "out" && reason != user.ExpectedReason)
                {
                    _figures.Fault("ended-for-another-reason");
                    _figures.Note("other-reason", $"{reason} instead of {user.ExpectedReason}");
                }

                break;
            case "server-ended" or "out":
                if (user.Standing != Standing.Lost)
                {
                    Lose(user, "ended-wrongly", $"{what} {reason} while {user.Standing} after {user.Change}");
                }

                break;
            case "guessed":
                Lose(user, "let-in", user.Change.ToString());
                break;
            case "refused":
                _figures.Count("strangers-refused");
                user.Become(Standing.Refused, now);
                break;
        }
    }

    private void Lose(StormUser user, string fault, string why)
    {
        _figures.Fault(fault);
        _figures.Note($"{fault}-because", why);
        user.Become(Standing.Lost, Stopwatch.GetTimestamp());
    }

    /// <summary>Where both ends have seen the end, a stranger tries the old password; then the change is undone, and the user logs in.</summary>
    private async Task RestoreAsync()
    {
        var now = Stopwatch.GetTimestamp();
        StormUser[] ended = [.. _users.Where(user => user is { Standing: Standing.Doomed, HasEndedAtServer: true, HasEndedAtClient: true })];
        foreach (var user in ended)
        {
            _delays.Add(Stopwatch.GetElapsedTime(user.Since, now).TotalSeconds);
            _figures.Count("ended");
            user.Become(Standing.Guessed, now);
        }

        foreach (var ofOneVersion in ended.GroupBy(user => user.Version - (user.Change == Change.Password ? 1 : 0)))
        {
            await _clients.AskAsync($"guess {ofOneVersion.Key} {string.Join(',', ofOneVersion.Select(user => user.Name))}");
        }

        StormUser[] refused = [.. _users.Where(user => user.Standing == Standing.Refused)];
        foreach (var user in refused)
        {
            user.IsChanged = false;
            user.Become(Standing.Restored, now);
        }

        await WriteAsync([.. refused.Where(user => user.Change != Change.Password)], "give");

        await LogInAsync(
            [.. _users.Where(user => user.Standing == Standing.Restored && Stopwatch.GetElapsedTime(user.Since) > s_between)],
            Stopwatch.GetTimestamp());
    }

    private async Task LogInAsync(StormUser[] users, long now)
    {
        foreach (var ofOneVersion in users.GroupBy(user => user.Version))
        {
            await _clients.AskAsync($"login {ofOneVersion.Key} {string.Join(',', ofOneVersion.Select(user => user.Name))}");
            foreach (var user in ofOneVersion)
            {
                user.Become(Standing.LoggingIn, now);
            }
        }
    }

    /// <summary>By the time at which the news was asked for: what we ourselves took longer for is not the server's fault.</summary>
    private void JudgeWhoIsLate(long asked)
    {
        foreach (var user in _users.Where(user => user.Standing == Standing.Doomed && Stopwatch.GetElapsedTime(user.Since, asked) > s_promise))
        {
            var ends = (user.HasEndedAtServer, user.HasEndedAtClient) switch
            {
                (true, false) => "at the client",
                (false, true) => "at the server",
                _ => "at either end",
            };
            Lose(user, "missed", $"{user.Change} and no end {ends}");
        }
    }

    private async Task EndAsync()
    {
        var steady = Times.Of(await _clients.AskAsync("rest"));
        var echo = await _clients.AskAsync("echo 20", TimeSpan.FromSeconds(20));
        await TakeNewsAsync();
        var live = Of(Standing.Live);
        _figures.Count("handshakes", steady.Count);
        _figures.Count("answering", Lines.Number(echo[0]) - Lines.Number(echo[1]));
        _figures.Note("handshake-times", steady.ToString());
        _delays.Sort();
        _figures.Note(
            "ended-within",
            _delays.Count == 0
                ? "-"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"median {_delays[_delays.Count / 2]:F1} s longest {_delays[^1]:F1} s of {s_promise.TotalSeconds} s"));
        _figures.RequiredCheck(_figures.Of("ended") >= LeastChanges, "too-few");
        _figures.Fault("handshakes-failed", steady.Failed + (steady.Count == 0 ? 1 : 0));
        _figures.Fault("silent", Lines.Number(echo[1]) + Math.Max(0, live - Lines.Number(echo[0])));
        _figures.RequiredCheck(await CountOpenAsync(live), "registry-differs");
        _figures.RequiredCheck(_server.IsAlive, "server-died");
    }

    private async Task<bool> CountOpenAsync(int live)
    {
        var open = -1;
        for (var began = Stopwatch.GetTimestamp(); open != live && Stopwatch.GetElapsedTime(began) < Lab.Patience;)
        {
            open = Lines.Number((await _server.AskAsync("open"))[0]);
            await Task.Delay(s_tick);
        }

        _figures.Note("open-at-the-server", string.Create(CultureInfo.InvariantCulture, $"{open} of {live}"));
        return open == live;
    }
}
