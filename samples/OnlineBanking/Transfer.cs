using System.Globalization;
using System.Text;

namespace MutualAuth.Samples;

/// <summary>What is to be paid to whom.</summary>
internal sealed record Transfer(string To, int Euros)
{
    /// <summary>The octets that a confirmation is bound to. Both sides make them out of what they understand: nobody sends them.</summary>
    internal byte[] ToOctets() => Encoding.UTF8.GetBytes(ToString());

    internal static Transfer? Parse(string text) =>
        text.Split(" EUR to ", 2) is [var amount, { Length: > 0 } to] && int.TryParse(amount, NumberStyles.None, CultureInfo.InvariantCulture, out var euros) ? new Transfer(to, euros) : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Euros} EUR to {To}");
}
