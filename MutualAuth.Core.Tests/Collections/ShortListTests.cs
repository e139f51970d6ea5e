using CsCheck;
using MutualAuth.Collections;

namespace MutualAuth.Tests.Collections;

/// <summary>A list on the stack is a list: what it has does not depend on how long it was.</summary>
public sealed class ShortListTests
{
    [Test]
    public void It_has_what_a_list_has_however_it_grew_and_shrank() => Gen.Bool.Array[0, 60].Sample(steps =>
    {
        var list = default(ShortList<string>);
        var expected = new List<string>();
        for (var i = 0; i < steps.Length; i++)
        {
            if (steps[i] || expected.Count == 0)
            {
                list.Add($"{i}");
                expected.Add($"{i}");
            }
            else
            {
                list.RemoveLast();
                expected.RemoveAt(expected.Count - 1);
            }

            list.Items.ToArray().Should().Equal(expected);
            list.Count.Should().Be(expected.Count);
            if (expected.Count > 0)
            {
                list[^1].Should().Be(expected[^1]);
            }
        }
    });

    [TestCase(0)]
    [TestCase(4)]
    [TestCase(5)]
    public void Nothing_beyond_its_end_is_given_out(int count)
    {
        var list = default(ShortList<string>);
        for (var i = 0; i <= count; i++)
        {
            list.Add("one");
        }

        list.RemoveLast();

        Read(list, count).Should().Be("beyond");
        Read(list, -1).Should().Be("beyond");

        static string Read(ShortList<string> list, int index)
        {
            try
            {
                return list[index];
            }
            catch (IndexOutOfRangeException)
            {
                return "beyond";
            }
        }
    }

    [Test]
    public void Four_items_need_no_memory_of_their_own()
    {
        Fill(4);
        Fill(5);

        Fill(4).Should().Be(0);
        Fill(5).Should().BeGreaterThan(0);

        static long Fill(int count)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var list = default(ShortList<object>);
            for (var i = 0; i < count; i++)
            {
                list.Add(string.Empty);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }
}
