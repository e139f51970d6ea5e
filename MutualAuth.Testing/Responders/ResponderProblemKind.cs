namespace MutualAuth.Testing.Responders;

/// <summary>What kind of thing went wrong between a responder and who asks it.</summary>
public enum ResponderProblemKind
{
    /// <summary>What came is no request of HTTP/1.1 or HTTP/1.0, or uses a part of HTTP that is not spoken here (RFC 9112).</summary>
    MalformedHttp = 1,

    /// <summary>The request is larger than 1 MiB, or its head larger than 32 KiB.</summary>
    TooLarge = 2,

    /// <summary>The method is not one that the responder answers.</summary>
    MethodNotAllowed = 3,

    /// <summary>The responder has nothing at that path.</summary>
    PathNotServed = 4,

    /// <summary>The body, or the path of a GET, is no OCSPRequest that can be answered; it was answered with <c>malformedRequest</c>.</summary>
    MalformedOcspRequest = 5,

    /// <summary>The responder failed: a callback threw, or asked for something that cannot be made.</summary>
    Failed = 6,

    /// <summary>The other side left in the middle of its request or of the answer.</summary>
    ConnectionLost = 7,
}
