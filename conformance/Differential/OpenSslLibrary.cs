using System.Runtime.InteropServices;

namespace MutualAuth.Conformance.Differential;

/// <summary>OpenSSL 3's own verification, called as <c>openssl verify -purpose sslclient</c> calls it, without a process for each case.</summary>
internal static partial class OpenSslLibrary
{
    private const string Library = "libcrypto.so.3";
    private const int SslClient = 1; // X509_PURPOSE_SSL_CLIENT

    /// <summary>What it says of each; null where there is no OpenSSL 3 on this machine.</summary>
    internal static IReadOnlyList<Opinion?> AskAll(IReadOnlyList<GeneratedCase> cases) => [.. cases.Select(Ask)];

    private static Opinion? Ask(GeneratedCase generated)
    {
        var owned = new List<nint>();
        var (store, context, untrusted) = (nint.Zero, nint.Zero, nint.Zero);
        try
        {
            (store, context, untrusted) = (X509_STORE_new(), X509_STORE_CTX_new(), OPENSSL_sk_new_null());
            if (Parse(generated.Root, owned) is not { } root || Parse(generated.Leaf, owned) is not { } leaf)
            {
                return new Opinion(false, "not parsed");
            }

            _ = X509_STORE_add_cert(store, root);
            foreach (var der in generated.Others)
            {
                // The program reads none of them when one is not a certificate; here that one is passed over.
                _ = Parse(der, owned) is { } other ? OPENSSL_sk_push(untrusted, other) : 0;
            }

            _ = X509_STORE_CTX_init(context, store, leaf, untrusted);
            var parameters = X509_STORE_CTX_get0_param(context);
            _ = X509_VERIFY_PARAM_set_purpose(parameters, SslClient);
            X509_VERIFY_PARAM_set_time(parameters, (nint)generated.At.ToUnixTimeSeconds());
            var isAccepted = X509_verify_cert(context) == 1;
            return new Opinion(isAccepted, isAccepted ? "accepted"
                : Marshal.PtrToStringUTF8(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)))!);
        }
        catch (DllNotFoundException)
        {
            return null;
        }
        finally
        {
            X509_STORE_CTX_free(context);
            X509_STORE_free(store);
            OPENSSL_sk_free(untrusted);
            owned.ForEach(X509_free);
        }
    }

    private static unsafe nint? Parse(ReadOnlyMemory<byte> der, List<nint> owned)
    {
        fixed (byte* start = der.Span)
        {
            var at = start;
            var certificate = d2i_X509(nint.Zero, &at, der.Length);
            ERR_clear_error();
            if (certificate == nint.Zero)
            {
                return null;
            }

            owned.Add(certificate);
            return at == start + der.Length ? certificate : null;
        }
    }

    [LibraryImport(Library)]
    private static unsafe partial nint d2i_X509(nint into, byte** at, nint length);

    [LibraryImport(Library)]
    private static partial void X509_free(nint certificate);

    [LibraryImport(Library)]
    private static partial nint X509_STORE_new();

    [LibraryImport(Library)]
    private static partial void X509_STORE_free(nint store);

    [LibraryImport(Library)]
    private static partial int X509_STORE_add_cert(nint store, nint certificate);

    [LibraryImport(Library)]
    private static partial nint X509_STORE_CTX_new();

    [LibraryImport(Library)]
    private static partial void X509_STORE_CTX_free(nint context);

    [LibraryImport(Library)]
    private static partial int X509_STORE_CTX_init(nint context, nint store, nint certificate, nint untrusted);

    [LibraryImport(Library)]
    private static partial nint X509_STORE_CTX_get0_param(nint context);

    [LibraryImport(Library)]
    private static partial int X509_VERIFY_PARAM_set_purpose(nint parameters, int purpose);

    [LibraryImport(Library)]
    private static partial void X509_VERIFY_PARAM_set_time(nint parameters, nint seconds);

    [LibraryImport(Library)]
    private static partial int X509_verify_cert(nint context);

    [LibraryImport(Library)]
    private static partial int X509_STORE_CTX_get_error(nint context);

    [LibraryImport(Library)]
    private static partial nint X509_verify_cert_error_string(long error);

    [LibraryImport(Library)]
    private static partial nint OPENSSL_sk_new_null();

    [LibraryImport(Library)]
    private static partial int OPENSSL_sk_push(nint stack, nint item);

    [LibraryImport(Library)]
    private static partial void OPENSSL_sk_free(nint stack);

    [LibraryImport(Library)]
    private static partial void ERR_clear_error();
}
