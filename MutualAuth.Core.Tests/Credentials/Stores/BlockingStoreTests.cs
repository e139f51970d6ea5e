using System.Collections.Concurrent;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>Stores, validators and rules that hold their thread, as SQLite does while another holds its lock.</summary>
[CancelAfter(60000)]
public sealed class BlockingStoreTests
{
    private readonly List<BlockingStore> _stores = [];

    [TearDown]
    public void TearDown()
    {
        _stores.ForEach(store => store.Release());
        _stores.Clear();
    }

    [Test]
    public async Task A_store_that_holds_its_thread_does_not_hold_the_login()
    {
        var store = Blocking();
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.PasswordsInPlain(store)));
        using var deadline = new CancellationTokenSource();

        var step = StartAsync(server, deadline.Token);
        await store.Entered.WaitAsync(TimeSpan.FromSeconds(20));
        await deadline.CancelAsync();

        await FluentActions.Awaiting(() => step.WaitAsync(TimeSpan.FromSeconds(20))).Should().ThrowAsync<OperationCanceledException>();
        store.Release();
    }

    [Test]
    public async Task A_login_whose_store_holds_its_thread_ends_at_the_deadline_and_as_late()
    {
        var store = Blocking();
        using var world = new World();
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var options = world.ServerOptions with { Credentials = Require.CertificateAndUser(SaslServer.Scram(store)), TimeProvider = clock };
        var shaking = ConnectedPair.ShakeAsync(world.ClientOptions with { Credentials = Login.WithPassword("alice", "right") }, options);
        await store.Entered.WaitAsync(TimeSpan.FromSeconds(20));

        clock.Advance(options.HandshakeTimeout + TimeSpan.FromSeconds(1));

        await using var ends = await shaking.WaitAsync(ConnectedPair.Deadline);
        ends.Server.Refusal.Failure.Should().Be(HandshakeFailure.TimedOut);
        store.Release();
    }

    [Test]
    public async Task No_more_threads_are_held_than_the_policy_says_and_none_of_the_pool()
    {
        var store = Blocking();
        var policy = Sasl.Policy(SaslServer.PasswordsInPlain(store)) with { MaxConcurrentChecks = 2 };
        var services = new LoginServices(policy, TimeProvider.System);
        using var deadline = new CancellationTokenSource();
        var servers = Enumerable.Range(0, 8).Select(_ => Sasl.Server(policy, services: services)).ToArray();

        var steps = servers.Select(server => StartAsync(server, deadline.Token)).ToArray();
        await store.Entered.WaitAsync(TimeSpan.FromSeconds(20));
        await store.Entered.WaitAsync(TimeSpan.FromSeconds(20));
        await deadline.CancelAsync();
        foreach (var step in steps)
        {
            await FluentActions.Awaiting(() => step.WaitAsync(TimeSpan.FromSeconds(20))).Should().ThrowAsync<OperationCanceledException>();
        }

        store.Calls.Should().Be(2, "those that waited for their turn were given up in time");
        store.ThreadsOfThePool.Should().Be(0);

        // Free again, it serves whoever comes.
        store.Release();
        await using var later = Sasl.Server(policy, services: services);
        (await StartAsync(later, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20))).Should().BeOfType<SaslServerStep.Succeeded>();
        foreach (var server in servers)
        {
            await server.DisposeAsync();
        }
    }

    [Test]
    public async Task A_store_that_waits_without_holding_a_thread_takes_no_place()
    {
        var gate = new TaskCompletionSource();
        var store = new WaitingStore(Sasl.Store(("alice", "right")), gate.Task);
        var policy = Sasl.Policy(SaslServer.PasswordsInPlain(store)) with { MaxConcurrentChecks = 1 };
        var services = new LoginServices(policy, TimeProvider.System);
        var servers = Enumerable.Range(0, 4).Select(_ => Sasl.Server(policy, services: services)).ToArray();

        var steps = servers.Select(server => StartAsync(server, CancellationToken.None)).ToArray();
        for (var count = 0; count < servers.Length; count++)
        {
            (await store.Entered.WaitAsync(TimeSpan.FromSeconds(20))).Should().BeTrue();
        }

        gate.SetResult();
        (await Task.WhenAll(steps).WaitAsync(TimeSpan.FromSeconds(20))).Should().AllBeOfType<SaslServerStep.Succeeded>();
        foreach (var server in servers)
        {
            await server.DisposeAsync();
        }
    }

    [Test]
    public async Task A_thread_that_was_idle_and_is_held_now_does_not_count_as_idle()
    {
        var threads = new BlockingCallThreads(2);
        using var held = new ManualResetEventSlim();
        using var begun = new SemaphoreSlim(0);
        for (var count = 0; count < 20; count++)
        {
            (await threads.RunAsync(() => ValueTask.FromResult(count), default).AsTask().WaitAsync(TimeSpan.FromSeconds(20))).Should().Be(count);
        }

        var first = threads.RunAsync(Hold, default).AsTask();
        (await begun.WaitAsync(TimeSpan.FromSeconds(20))).Should().BeTrue();
        var second = threads.RunAsync(Hold, default).AsTask();
        (await begun.WaitAsync(TimeSpan.FromSeconds(20))).Should().BeTrue("a second thread may be held");

        held.Set();
        await Task.WhenAll(first, second).WaitAsync(TimeSpan.FromSeconds(20));

        ValueTask<bool> Hold()
        {
            begun.Release();
            return ValueTask.FromResult(held.Wait(TimeSpan.FromSeconds(20)));
        }
    }

    [Test]
    public async Task An_idle_thread_takes_the_next_check_and_no_other_is_started()
    {
        var threads = new BlockingCallThreads(8);
        var first = await threads.RunAsync(() => ValueTask.FromResult(Thread.CurrentThread), default).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        for (var count = 0; count < 10; count++)
        {
            SpinWait.SpinUntil(() => first.ThreadState.HasFlag(ThreadState.WaitSleepJoin), TimeSpan.FromSeconds(20)).Should().BeTrue();

            var next = await threads.RunAsync(() => ValueTask.FromResult(Thread.CurrentThread), default).AsTask().WaitAsync(TimeSpan.FromSeconds(20));

            next.Should().BeSameAs(first);
        }
    }

    [Test]
    public async Task A_thread_that_cannot_be_started_takes_no_place_and_its_check_is_never_begun()
    {
        var (failing, begun) = (2, new List<int>());
        var threads = new BlockingCallThreads(1, thread =>
        {
            if (failing-- > 0)
            {
                throw new InsufficientMemoryException("no more threads");
            }

            thread.Start();
        });
        Task<int> RunAsync(int number) => threads.RunAsync(
            () =>
            {
                begun.Add(number);
                return ValueTask.FromResult(number);
            },
            default).AsTask().WaitAsync(TimeSpan.FromSeconds(20));

        await FluentActions.Awaiting(() => RunAsync(1)).Should().ThrowAsync<InsufficientMemoryException>();
        await FluentActions.Awaiting(() => RunAsync(2)).Should().ThrowAsync<InsufficientMemoryException>();
        threads.Threads.Should().Be(0);

        (await RunAsync(3)).Should().Be(3);
        (await RunAsync(4)).Should().Be(4);
        begun.Should().Equal([3, 4], "nobody waits for the others any more");
    }

    [Test]
    public async Task Where_a_second_thread_cannot_be_started_the_check_waits_for_the_first()
    {
        var failing = false;
        var threads = new BlockingCallThreads(2, thread =>
        {
            if (failing)
            {
                throw new InsufficientMemoryException("no more threads");
            }

            thread.Start();
        });
        using var held = new ManualResetEventSlim();
        using var begun = new SemaphoreSlim(0);
        ValueTask<bool> Hold()
        {
            begun.Release();
            return ValueTask.FromResult(held.Wait(TimeSpan.FromSeconds(20)));
        }

        var first = threads.RunAsync(Hold, default).AsTask();
        (await begun.WaitAsync(TimeSpan.FromSeconds(20))).Should().BeTrue();
        failing = true;
        var second = threads.RunAsync(() => ValueTask.FromResult(Thread.CurrentThread), default).AsTask();
        second.IsCompleted.Should().BeFalse();
        threads.Threads.Should().Be(1);
        failing = false;
        var third = threads.RunAsync(Hold, default).AsTask();
        (await second.WaitAsync(TimeSpan.FromSeconds(20))).IsThreadPoolThread.Should().BeFalse();
        (await begun.WaitAsync(TimeSpan.FromSeconds(20))).Should().BeTrue("a second one may be started again");

        held.Set();
        await Task.WhenAll(first, third).WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Test]
    public async Task A_check_sees_what_belongs_to_its_caller()
    {
        var caller = new AsyncLocal<string> { Value = "alice's login" };

        (await new BlockingCallThreads(1).RunAsync(() => ValueTask.FromResult(caller.Value), default).AsTask().WaitAsync(TimeSpan.FromSeconds(20)))
            .Should().Be("alice's login");
    }

    [Test]
    public async Task Who_has_given_up_already_begins_no_check()
    {
        var begun = 0;

        var check = () => new BlockingCallThreads(1).RunAsync(() => ValueTask.FromResult(++begun), new CancellationToken(canceled: true)).AsTask();

        await check.Should().ThrowAsync<OperationCanceledException>();
        begun.Should().Be(0);
    }

    // On a thread of its own: were the step to hold its caller, the test would hang in place of failing.
    private static Task<SaslServerStep> StartAsync(SaslServerSession server, CancellationToken deadline) =>
        Task.Factory.StartNew(
            () => server.StartAsync("PLAIN", Sasl.Utf8("\0alice\0right"), deadline).AsTask(),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Unwrap();

    private BlockingStore Blocking()
    {
        var store = new BlockingStore(Sasl.Store(("alice", "right")));
        _stores.Add(store);
        return store;
    }

    private sealed class BlockingStore(ICredentialStore inner) : ICredentialStore
    {
        private readonly TaskCompletionSource _gate = new();
        private readonly ConcurrentBag<bool> _isOfThePool = [];

        internal SemaphoreSlim Entered { get; } = new(0);

        internal int Calls => _isOfThePool.Count;

        internal int ThreadsOfThePool => _isOfThePool.Count(isOfThePool => isOfThePool);

        internal void Release() => _gate.TrySetResult();

        public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken)
        {
            _isOfThePool.Add(Thread.CurrentThread.IsThreadPoolThread);
            Entered.Release();
            _gate.Task.Wait(CancellationToken.None);
            return inner.FindAsync(userName, cancellationToken);
        }
    }

    private sealed class WaitingStore(ICredentialStore inner, Task gate) : ICredentialStore
    {
        internal SemaphoreSlim Entered { get; } = new(0);

        public async ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken)
        {
            Entered.Release();
            await gate.ConfigureAwait(false);
            return await inner.FindAsync(userName, cancellationToken).ConfigureAwait(false);
        }
    }
}
