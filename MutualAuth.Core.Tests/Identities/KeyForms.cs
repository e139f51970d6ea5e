namespace MutualAuth.Tests.Identities;

/// <summary>One throwaway P-256 key in the forms that OpenSSL 3 writes; the password of the encrypted ones is <c>secret</c>.</summary>
internal static class KeyForms
{
    internal const string Plain =
        """
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIDhLC6LIxJlbEDuO/Sc441dGvCf7IX+REAjYVX00wnaqoAoGCCqGSM49
        AwEHoUQDQgAERwnBncqP85U5UyvdgmOWxnFHcP3s5fGDHsZzBDsqjGErk/QYCDsC
        e6vbb/ypUEgJxZrbMiSv7Gp+dYbrOEwcFQ==
        -----END EC PRIVATE KEY-----
        """;

    internal const string Pbes2 =
        """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjUhM0WUwhMOgICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEJ/6OF2vbqS71hpVAaDlMZEEgZB2
        owtGOC6B65hpLhccJ+0JiaxYSXB/+IFCo/qFSn/vcKWnGjWn6IgGt/DZEwR7hEfr
        g3Xt/JtyqSlWTVFMFs+f6nkRbe0UJ2rRbEO+P9pP263d7wInIKhOKG6GrkfF+R2a
        evq036bsRrxoh6T3GlEGBNcDQYulCDhS2uh1ElWklubZbCL1HSf1T596C4S44vY=
        -----END ENCRYPTED PRIVATE KEY-----
        """;

    internal const string Scrypt =
        """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAioMtU4qQ3MZgICBAAC
        AQgCAQIwHQYJYIZIAWUDBAEqBBAuWUVY46sC/nUfr+oIXWJOBIGQQrq2LmYrEGS/
        BOet1kHOjrbrxK/OLqEgie8JW7PuiHGIK47Hh0X+IfiBirgKW91BW7sDtzMgzymu
        8bxJmb8HhJ7gzH4dGZwaSoDv4eKRU7Ox8swC41AWwvhzZTfxyuot+mTaWRGmj4YT
        5JjonBiIMdx3tbEopoLtSXheJub8jSkVLx1wlHfegj3gL9XVwPlP
        -----END ENCRYPTED PRIVATE KEY-----
        """;

    internal const string Camellia =
        """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHuMFkGCSqGSIb3DQEFDTBMMCkGCSqGSIb3DQEFDDAcBAh3hwHJsM/zrQICCAAw
        DAYIKoZIhvcNAgkFADAfBgsqgwiMmks9AQEBBAQQYhyH2gY8o71H7mI/qbTyigSB
        kIvxBUo8iVVu4rvHZ8kPbABLo0i0mC0oGZJIIIqktb+ZXpygAw38/Fvm4UWdZQnz
        NTfRGkP++6naweL5ZYGyQFUndvFVcDqmuQmABjAdA4Dz0O/5hDCgLzeYfjg+honu
        MUyQhuZqRVh3AKAuQUNXP8M7B8W9aN6aO6m9pOUK7BcVn0wBv7oAgd6kydU8HGrX
        3A==
        -----END ENCRYPTED PRIVATE KEY-----
        """;

    internal const string TraditionalAes128 =
        """
        -----BEGIN EC PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: AES-128-CBC,D93072FA5E9D53CCCAF61784974458B7

        d2AnbV+fHqUPH0N6Tg/Q/8H0UdfiKy/3ATwG4jC+MlH2Pt6ZcfleZe6w8u6Brrox
        vMaPGXni3we82onnEOGFUsNXUGXkMIfPO3FvQu5NqB7xgWRlEZbOHfokluP3abNR
        Bs49fYjQuBLzZVhug2WRLol5GGEmbdFjwAO7m4BAbOs=
        -----END EC PRIVATE KEY-----
        """;

    internal const string TraditionalAes192 =
        """
        -----BEGIN EC PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: AES-192-CBC,9FC97BD42AA125AD93B489C64A996ABF

        sS8KDC50WnLVs1ipczGDmZFpIQYaeGH5BEaF2Cr6lRsw8Rt0oi1rC1TdSUjIGvKz
        /sWlsCdCBKwNROU4X+rl9Evbj6eN4cSE4cwGdaq00uD1bKDdgIIdKhG8Iy52DWFK
        j+f732Cn2qdgf4XHYGmtUN5bj1LmQNeLjGpvGmknmyE=
        -----END EC PRIVATE KEY-----
        """;

    internal const string TraditionalAes256 =
        """
        -----BEGIN EC PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: AES-256-CBC,754740FD7F6818EA87973AB095C9A2E4

        mvlrR+cDcXzQyw2d0oUfrr+W+liQjImXKoWQzSBZv/ODp/wPGG+kC/HHXob1Tuuz
        dr6VGnuQFaS2OY1s/sSmXrP2JLMSyFwBBrLRR62ciDdVy4AZTO4TsCLiJZF6InzD
        h0gTrwMbrLFw8Raz7v5mA35aG0n2phu/p/zbNHG2LV0=
        -----END EC PRIVATE KEY-----
        """;

    internal const string TraditionalTripleDes =
        """
        -----BEGIN EC PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: DES-EDE3-CBC,9683BEA0ED373B72

        6w4fPDpzACVCWli3gzXflnKhtCKWLtNxjbxxzb66dLAWKOae/V8unokqHEK2iGrL
        YllvQrbJi0h1CwWUTHpNMGE/M2A0L3U3KCib79cLn0RNszuvEcEn7gFyHlHw6aj4
        TmM1FJnOizciiTy89/o/0l6z7arKtP7ickoLsB1tS/8=
        -----END EC PRIVATE KEY-----
        """;

    internal const string TraditionalCamellia =
        """
        -----BEGIN EC PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: CAMELLIA-128-CBC,0AF676E562E88E282510A68CB9F388D2

        n7jD8XylmWPLH0iKbmvwerdKpBLBUs/Xt/SxQ/SwXsu4wzybMAOnNyehfe/K5pj1
        Cp5o942ZRmuMFQ/lnklcxoWBmNaRUeqrktcSG91hMf8ZSCAjJpoj/QMF4mVMjlAa
        xMd0HsglfCPtmX7/2x472aFMXOp4C7lZKXYlsynGTrc=
        -----END EC PRIVATE KEY-----
        """;
}
