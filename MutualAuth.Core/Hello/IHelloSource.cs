namespace MutualAuth.Hello;

/// <summary>The stream from which a hello is read before the TLS engine sees it, and to which it goes back.</summary>
internal interface IHelloSource
{
    /// <summary>How many octets have been put back and not been read again.</summary>
    int ReadAheadLength { get; }

    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>
    /// Puts back a hello, and what has come behind it: that is not given out before we have answered, and is looked at if we ask for another hello.
    /// </summary>
    void PutBackHello(byte[] buffer, int length, int helloLength, int maxHelloBytes);

    /// <summary>Puts back octets to be read again. The buffer is the shared pool's, and returns to it after that.</summary>
    void PutBack(byte[] buffer, int length);
}
