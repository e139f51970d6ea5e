using System.Net;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Redirects and cookies: what stays with the server that was authenticated.</summary>
[CancelAfter(60000)]
public sealed class RedirectTests
{
    private HttpWorld _world = null!;
    private WebServer _server = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new HttpWorld();
        _server = await _world.StartAsync();
    }

    [TearDown]
    public async Task TearDown()
    {
        await _server.DisposeAsync();
        _world.Dispose();
    }

    [TestCase(301, "GET ")]
    [TestCase(302, "GET ")]
    [TestCase(303, "GET ")]
    [TestCase(307, "POST content")]
    [TestCase(308, "POST content")]
    public async Task Within_the_authority_it_is_followed(int status, string arrives)
    {
        using var http = Http(new MutualTlsHttpOptions());
        using var content = new StringContent("content");

        using var response = await http.PostAsync(_server.At($"/to?status={status}&where=/method"), content);

        (await response.Content.ReadAsStringAsync()).Should().Be(arrives);
        response.RequestMessage!.RequestUri.Should().Be(_server.At("/method"));
    }

    [Test]
    public async Task To_anywhere_else_it_is_the_callers_to_see()
    {
        using var http = Http(new MutualTlsHttpOptions());
        foreach (var elsewhere in new[]
        {
            _server.At("/seen", "other.test").ToString(),
            $"http://server.test:{_server.Port}/seen",
            "https://server.test/seen",
            "//other.test/seen",
            "ftp://server.test/",
        })
        {
            using var response = await http.GetAsync(_server.At($"/to?status=302&where={Uri.EscapeDataString(elsewhere)}"));

            (response.StatusCode, response.Headers.Location!.OriginalString).Should().Be((HttpStatusCode.Found, elsewhere));
        }
    }

    [Test]
    public async Task The_same_in_full_is_followed()
    {
        using var http = Http(new MutualTlsHttpOptions());

        (await http.GetStringAsync(_server.At($"/to?status=302&where={Uri.EscapeDataString(_server.At("/seen").ToString())}")))
            .Should().StartWith("https ");
    }

    [TestCase(0, HttpStatusCode.Found)]
    [TestCase(1, HttpStatusCode.Found)]
    [TestCase(2, HttpStatusCode.OK)]
    public async Task No_more_than_allowed_are_followed(int allowed, HttpStatusCode status)
    {
        using var http = Http(new MutualTlsHttpOptions { MaxRedirects = allowed });
        var twice = Uri.EscapeDataString("/to?status=302&where=/seen");

        using var response = await http.GetAsync(_server.At($"/to?status=302&where={twice}"));

        response.StatusCode.Should().Be(status);
    }

    [Test]
    public async Task Cookies_are_kept_where_asked_for_as_those_of_https([Values] bool keeps)
    {
        using var http = Http(new MutualTlsHttpOptions { Cookies = keeps ? new CookieContainer() : null });

        using var first = await http.GetAsync(_server.At("/cookie/set"));

        (await http.GetStringAsync(_server.At("/header?name=cookie"))).Should().Be(keeps ? "session=one" : string.Empty);
    }

    private HttpClient Http(MutualTlsHttpOptions options) =>
        new(new MutualTlsHttpHandler(new MutualTlsClient(_world.Client), HttpWorld.Dialling(_server, options)));
}
