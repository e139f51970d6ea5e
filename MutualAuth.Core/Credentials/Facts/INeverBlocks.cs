namespace MutualAuth.Credentials;

/// <summary>
/// Marks what never holds the thread that calls it: it is ours, and answers from memory or asks others through
/// <see cref="LoginServices.Checks"/>. What is not marked may be the application's, and is called where it can do no harm.
/// </summary>
internal interface INeverBlocks;
