using System.Reflection;
using System.Text.RegularExpressions;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>Holds docs/security/what-strangers-can-spend.md to the code: what it names exists.</summary>
public sealed partial class WhatStrangersCanSpendTests
{
    private static readonly DocumentationPage s_page = DocumentationPage.Open("docs/security/what-strangers-can-spend.md");

    [Test]
    public void Every_row_is_enforced_in_a_file_that_exists()
    {
        foreach (var row in s_page.Rows())
        {
            var files = CodePattern().Matches(row[2]).Select(match => match.Groups[1].Value).ToList();
            (files.Count == 1 || row[2] == "the platform").Should().BeTrue($"row '{row[0]}' names one file");
            files.Where(file => !File.Exists(Path.Combine(DocumentationPage.Root, "MutualAuth.Core", file))).Should().BeEmpty();
        }
    }

    [Test]
    public void Every_bound_that_has_a_name_is_one_of_the_code()
    {
        const BindingFlags Any =
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var members = typeof(MutualTlsServer).Assembly.GetTypes()
            .SelectMany(type => type.GetProperties(Any).Cast<MemberInfo>().Concat(type.GetFields(Any)))
            .Select(member => member.Name)
            .ToHashSet();

        var bounds = s_page.Rows().SelectMany(row => CodePattern().Matches(row[1]).Select(match => match.Groups[1].Value)).ToList();

        bounds.Should().HaveCountGreaterThan(20).And.OnlyContain(bound => members.Contains(bound));
    }

    [Test]
    public void Its_rows_are_counted_without_a_gap() =>
        s_page.Rows().Select(row => row[0].Split('.')[0]).Should().Equal(Enumerable.Range(1, s_page.Rows().Count()).Select(number => $"{number}"));

    [Test]
    public void The_files_and_targets_that_it_names_elsewhere_exist()
    {
        File.Exists(Path.Combine(DocumentationPage.Root, "docs", "security", "openssl-strict.cnf")).Should().BeTrue();
        File.Exists(Path.Combine(DocumentationPage.Root, "fuzz", "Targets.cs")).Should().BeTrue();
        File.Exists(Path.Combine(DocumentationPage.Root, "fuzz", "afl.sh")).Should().BeTrue();
        Directory.Exists(Path.Combine(DocumentationPage.Root, "fuzz", "corpus", "hello")).Should().BeTrue();
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex CodePattern();
}
