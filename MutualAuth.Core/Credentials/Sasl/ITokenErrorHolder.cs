using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>An exchange in which the server may say what is wrong with our token.</summary>
internal interface ITokenErrorHolder
{
    TokenError? TokenError { get; }
}
