namespace MutualAuth.Testing.Responders;

/// <summary>How a responder behaves.</summary>
public enum ResponderMode
{
    /// <summary>As it should.</summary>
    Normal = 1,

    /// <summary>Rightly, but only after <see cref="HttpResponder.Delay"/>.</summary>
    Slow = 2,

    /// <summary>Takes the request and never answers.</summary>
    Hang = 3,

    /// <summary>Answers with status 404.</summary>
    NotFound = 4,

    /// <summary>Answers with status 200 and octets that mean nothing.</summary>
    Garbage = 5,

    /// <summary>Announces the whole answer, sends half of it and closes.</summary>
    Truncated = 6,

    /// <summary>Answers with a response that was valid a month ago and expired a week ago; it does not know of a later revocation.</summary>
    Stale = 7,

    /// <summary>Answers with something that another key has signed.</summary>
    WrongSigner = 8,

    /// <summary>Answers with <see cref="HttpResponder.OversizedLength"/> octets.</summary>
    Oversized = 9,

    /// <summary>Answers with a redirection to itself, without end.</summary>
    Redirect = 10,
}
