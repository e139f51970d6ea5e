namespace MutualAuth.Validation;

/// <summary>Is told when a connection, or a transport, has ended.</summary>
internal interface IEndListener
{
    /// <summary>It has ended.</summary>
    void HasEnded();
}
