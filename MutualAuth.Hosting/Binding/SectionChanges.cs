using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace MutualAuth.Hosting.Binding;

/// <summary>Says when the configuration was loaded again, so that settings are read from it again.</summary>
internal sealed class SectionChanges<TSettings>(string name, IConfiguration section) : IOptionsChangeTokenSource<TSettings>
{
    public string? Name => name;

    public IChangeToken GetChangeToken() => section.GetReloadToken();
}
