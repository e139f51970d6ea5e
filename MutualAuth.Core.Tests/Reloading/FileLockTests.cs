using MutualAuth.Reloading;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Reloading;

/// <summary>Who has the lock, who waits for it, and when it is not worth waiting. Switches of the process are looked at.</summary>
[NonParallelizable]
[CancelAfter(60000)]
public sealed class FileLockTests
{
    private const string Variable = "DOTNET_SYSTEM_IO_DISABLEFILELOCKING";

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Whoever_comes_second_waits_until_the_first_lets_go(CancellationToken cancellationToken)
    {
        var path = _folder["lock"];
        var first = await FileLock.AcquireAsync(path, cancellationToken);
        var second = FileLock.AcquireAsync(path, cancellationToken);
        second.IsCompleted.Should().BeFalse();

        first.Dispose();

        (await second.WaitAsync(ConnectedPair.Deadline, cancellationToken)).Dispose();
        File.Exists(path).Should().BeTrue("two processes could each hold a file of the same name if it were deleted");
    }

    [Test]
    public async Task Waiting_ends_with_its_token(CancellationToken cancellationToken)
    {
        using var first = await FileLock.AcquireAsync(_folder["lock"], cancellationToken);
        using var impatient = new CancellationTokenSource();
        var second = FileLock.AcquireAsync(_folder["lock"], impatient.Token);

        await impatient.CancelAsync();

        await second.Awaiting(each => each.WaitAsync(ConnectedPair.Deadline, cancellationToken)).Should().ThrowAsync<OperationCanceledException>();
    }

    [TestCase("missing/lock", TestName = "{m}: no such directory")]
    [TestCase(".", TestName = "{m}: a directory")]
    public async Task A_lock_that_nobody_can_take_is_not_waited_for(string name)
    {
        var acquire = () => FileLock.AcquireAsync(_folder[name], CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(5));

        (await acquire.Should().ThrowAsync<MaterialException>()).WithMessage("The lock * cannot be taken: *");
    }

    [Test]
    public async Task The_lock_is_for_its_owner_alone(CancellationToken cancellationToken)
    {
        Assume.That(!OperatingSystem.IsWindows(), "On Unix.");

        using var held = await FileLock.AcquireAsync(_folder["lock"], cancellationToken);

#pragma warning disable CA1416 // assumed above
        File.GetUnixFileMode(_folder["lock"]).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
#pragma warning restore CA1416
    }

    [TestCase("1", true)]
    [TestCase("true", true)]
    [TestCase("TRUE", true)]
    [TestCase("0", false)]
    [TestCase("false", false)]
    [TestCase("", false)]
    public async Task A_process_without_file_locks_takes_none(string variable, bool isDisabled)
    {
        var before = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, variable);
        try
        {
            FileLock.IsDisabled.Should().Be(isDisabled);
            if (isDisabled)
            {
                var acquire = () => FileLock.AcquireAsync(_folder["lock"], CancellationToken.None);
                (await acquire.Should().ThrowAsync<MaterialException>()).WithMessage("*DisableFileLocking*");
                File.Exists(_folder["lock"]).Should().BeFalse();
            }
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, before);
        }
    }
}
