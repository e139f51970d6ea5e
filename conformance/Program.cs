using MutualAuth.Conformance.Differential;
using MutualAuth.Conformance.Limbo;
using MutualAuth.Conformance.Pkits;

return args switch
{
    ["limbo", var file, .. var options] => LimboCommand.Run(file, options),
    ["pkits", var directory] => PkitsCommand.Run(directory),
    ["differential", .. var options] => DifferentialCommand.Run(options),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        """
        conformance: holds the certificate stage against test suites of path validation.

          limbo FILE.json [--out RESULTS.json] [--verbose]
              Runs every case of an x509-limbo file and prints the score of each namespace, every mismatch, and the total.
              Exit code 0 when every case came out as expected, 1 when not.
          pkits DIRECTORY
              Runs NIST's PKITS (the files of Debian's python3-cryptography-vectors, RSA 2048 and SHA-256) and prints every deviation with its reason.
              Exit code 0 when all of them are explained, 1 when not.
          differential [--count N] [--seed S] [--with openssl,Go,X509Chain,BouncyCastle]
              Generates N chains (1000) from seed S (1) on, asks this library and the others about each, and prints how often they disagree and why.
              Exit code 0 when every disagreement is explained, 1 when one is not, or when one of the others is not on this machine.
        """);
    return 2;
}
