namespace MutualAuth.Transport;

/// <summary>Says whether what is held, with our certificate in it, may leave.</summary>
internal interface IFlightJudge
{
    /// <param name="flight">What the peer has sent in the clear.</param>
    /// <returns>Null while it cannot be said; a no is final.</returns>
    bool? MayAnswer(byte[] flight);
}
