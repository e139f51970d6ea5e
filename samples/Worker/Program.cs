// A worker service that echoes over mutual TLS. Everything that an operator may want to change stands in appsettings.json.
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MutualAuth.Hosting;
using MutualAuth.Samples;

var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Services.AddMutualTlsListener("echo", builder.Configuration.GetSection("MutualTls:echo")).HandledBy<Echo>();
builder.Services.AddHealthChecks().AddMutualTls();
Throwaway.MakeAtTheFirstStart(Path.Combine(AppContext.BaseDirectory, "certificates")); // remove it when you have certificates of your own

try
{
    await builder.Build().RunAsync();
    return 0;
}
catch (HostingConfigurationException problems)
{
    Console.Error.WriteLine(problems.Message);
    return 2;
}
