namespace MutualAuth.Credentials;

/// <summary>A store that says what this process has changed in it. What others change it does not say.</summary>
internal interface IAnnouncesWrites
{
    /// <summary>Raised after the change, with the user's name.</summary>
    event EventHandler<string>? Written;
}
