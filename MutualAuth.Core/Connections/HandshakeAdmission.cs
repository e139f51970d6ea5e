using System.Net;
using MutualAuth.Collections;
using MutualAuth.Handshake;
using MutualAuth.Transport;

namespace MutualAuth.Connections;

/// <summary>Where one handshake stands; see <see cref="IAdmission"/>. Its own steps come one after the other.</summary>
internal sealed class HandshakeAdmission : IAdmission
{
    private readonly AdmissionControl _control;
    private readonly HandshakeAttempt _attempt;
    private IPAddress? _address;
    private PendingPool.Entry? _entry;
    private HandshakeSlots.Slot? _slot;
    private bool _isNew = true;
    private bool _workIsDone;

    /// <param name="control">What the listener spends.</param>
    /// <param name="attempt">Whose handshake it is.</param>
    /// <param name="isFromProxy">Its address is that of a proxy, and counts for no peer: the peer's own comes in the proxy's header.</param>
    internal HandshakeAdmission(AdmissionControl control, HandshakeAttempt attempt, bool isFromProxy)
    {
        _control = control;
        _attempt = attempt;
        _address = isFromProxy ? null : AddressKey.Of(attempt.RemoteEndPoint);
        _entry = control.AddPending(attempt, _address);
    }

    public void AddressIsKnown()
    {
        LeavePool();
        _address = AddressKey.Of(_attempt.RemoteEndPoint);
        _entry = _control.AddPending(_attempt, _address);
    }

    public void HelloIsComplete()
    {
        _entry?.Leave();
        _entry = _control.AddWaiting(_attempt, _address);
    }

    public async ValueTask EnterAsync()
    {
        LeavePool();
        var isNew = _isNew;
        _isNew = false;
        _slot = await _control.EnterAsync(_attempt, _address, isNew).ConfigureAwait(false);
    }

    public void BeginWait()
    {
        if (!_workIsDone)
        {
            _entry = _control.AddWaiting(_attempt, _address);
            LeaveSlot();
        }
    }

    public ValueTask EndWaitAsync() => _workIsDone ? default : EnterAsync();

    public void WorkIsDone()
    {
        _workIsDone = true;
        _entry ??= _control.AddWaiting(_attempt, _address);
        LeaveSlot();
    }

    public void Leave()
    {
        _workIsDone = true;
        LeavePool();
        LeaveSlot();
    }

    internal void Succeeded()
    {
        if (_address is not null)
        {
            _control.Clear(_address);
        }
    }

    public bool TryBeginLinger() => _control.TryBeginLinger();

    public void EndLinger() => _control.EndLinger();

    private void LeavePool()
    {
        _entry?.Leave();
        _entry = null;
    }

    private void LeaveSlot()
    {
        _slot?.GiveBack();
        _slot = null;
    }
}
