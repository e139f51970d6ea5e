using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using MutualAuth.Validation;

namespace MutualAuth.Samples;

/// <summary>
/// Everything that happens at the gate, a line each, only appended, and on the disk before it counts. Each line carries the hash of the one
/// before, so that a changed or removed line is detected; on a real system the file is append-only for the file system too (chattr +a).
/// As a validator it records each peer before the gate admits it, and objects when it cannot: an event that is not recorded does not happen.
/// </summary>
internal sealed class AuditLog : IAsyncPeerValidator, ILoggerFactory, ILogger
{
    private static readonly string s_start = new('0', 64);

    private readonly Lock _lock = new();
    private readonly FileStream _file;
    private string _last;
    private bool _lostALine;

    private AuditLog(FileStream file, string last)
    {
        _file = file;
        _last = last;
    }

    /// <summary>Opens a log, or begins one.</summary>
    /// <exception cref="InvalidDataException">The log was changed.</exception>
    internal static AuditLog Open(string path)
    {
        var last = File.Exists(path) ? Verify(path) : s_start;
        return new AuditLog(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0, FileOptions.WriteThrough), last);
    }

    /// <summary>Follows the hashes from the first line to the last, whose own it returns.</summary>
    /// <exception cref="InvalidDataException">A line is not what it was when it was written.</exception>
    internal static string Verify(string path)
    {
        var last = s_start;
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            var entry = Parse(line);
            if (entry?.Before != last || entry.Hash != HashOf(entry))
            {
                throw new InvalidDataException(
                    $"The audit log {path} was changed at line {number}: expected an entry after {last[..8]}…, with its own hash.");
            }

            last = entry.Hash;
        }

        return last;
    }

    public ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // A log that has missed an event admits no further peer.
            return ValueTask.FromResult(!_lostALine && TryAppend("admitting", $"{peer.Name}, serial {peer.Certificate?.SerialNumber}")
                ? null
                : new Rejection(RejectionReason.ValidatorFaulted, "an entry in the audit log", "a log that cannot be written to"));
        }
    }

    /// <summary>Records an act, before it is carried out; false when that is not possible.</summary>
    internal bool TryRecord(string what, string text)
    {
        lock (_lock)
        {
            return !_lostALine && TryAppend(what, text);
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lock)
        {
            _lostALine |= !TryAppend($"{eventId.Id} {eventId.Name}", formatter(state, exception));
        }
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("This log has one place to write to.");

    public void Dispose() => _file.Dispose();

    private bool TryAppend(string what, string text)
    {
        var entry = new AuditEntry(DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture), what, text, _last, string.Empty);
        entry = entry with { Hash = HashOf(entry) };
        try
        {
            _file.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(entry, AuditJson.Default.AuditEntry) + "\n"));
            _file.Flush(flushToDisk: true);
            _last = entry.Hash;
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            return false;
        }
    }

    private static AuditEntry? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, AuditJson.Default.AuditEntry);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Lengths before the parts: otherwise two different entries could have the same hash.
    private static string HashOf(AuditEntry entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in new[] { entry.Before, entry.At, entry.What, entry.Text })
        {
            var octets = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes(octets.Length));
            hash.AppendData(octets);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

internal sealed record AuditEntry(string At, string What, string Text, string Before, string Hash);

[JsonSerializable(typeof(AuditEntry))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
internal sealed partial class AuditJson : JsonSerializerContext;
