namespace MutualAuth.Snippets;

/// <summary>docs/how-to/pin-keys.md</summary>
internal static class PinKeys
{
    internal static void Pinned(MutualTlsClientOptions clientOptions)
    {
        // snippet
        var pinned = clientOptions with
        {
            Pins = PinSet.Of(
                SpkiPin.Parse("sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),    // the key in use
                SpkiPin.Parse("sha256/AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="))    // the key that comes next
                .ExpiringAt(new DateTimeOffset(2028, 1, 1, 0, 0, 0, TimeSpan.Zero))
                .ReportOnly(),                                                           // on trial: log, and accept
        };
        // end
    }

    internal static void Find(X509Certificate2 certificate)
    {
        // snippet
        Console.WriteLine(SpkiPin.Of(certificate));
        // end
    }
}
