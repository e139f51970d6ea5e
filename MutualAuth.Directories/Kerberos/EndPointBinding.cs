using System.Runtime.InteropServices;
using System.Security.Authentication.ExtendedProtection;
using System.Text;

namespace MutualAuth.Directories;

/// <summary>
/// Our own <c>tls-server-end-point</c> as the platform takes it: a SEC_CHANNEL_BINDINGS structure of eight numbers, and behind it the type, a
/// colon and the data (RFC 5056 §2.1, RFC 5929 §4).
/// </summary>
internal sealed class EndPointBinding : ChannelBinding
{
    private const int HeaderLength = 32;

    internal EndPointBinding(Credentials.ChannelBinding binding)
        : base(ownsHandle: true)
    {
        byte[] data = [.. Encoding.ASCII.GetBytes(binding.Type + ":"), .. binding.Data];
        var memory = Marshal.AllocHGlobal(HeaderLength + data.Length);
        for (var offset = 0; offset < HeaderLength; offset += sizeof(int))
        {
            Marshal.WriteInt32(memory, offset, 0);
        }

        Marshal.WriteInt32(memory, 24, data.Length);
        Marshal.WriteInt32(memory, 28, HeaderLength);
        Marshal.Copy(data, 0, memory + HeaderLength, data.Length);
        SetHandle(memory);
        Size = HeaderLength + data.Length;
    }

    public override int Size { get; }

    protected override bool ReleaseHandle()
    {
        Marshal.FreeHGlobal(handle);
        return true;
    }
}
