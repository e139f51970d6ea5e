using System.Globalization;
using System.Text;

namespace MutualAuth.Samples;

/// <summary>An amount and its recipient.</summary>
internal sealed record Transfer(string To, int Euros)
{
    /// <summary>The octets to which a confirmation is bound. Each side computes them from the transfer that it sees; they are never sent.</summary>
    internal byte[] ToOctets() => Encoding.UTF8.GetBytes(ToString());

    internal static Transfer? Parse(string text) =>
        text.Split(" EUR to ", 2) is [var amount, { Length: > 0 } to]
            && int.TryParse(amount, NumberStyles.None, CultureInfo.InvariantCulture, out var euros)
            ? new Transfer(to, euros)
            : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Euros} EUR to {To}");
}
