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
    private readonly IPAddress? _address;
    private PendingPool.Entry? _entry;
    private HandshakeSlots.Slot? _slot;
    private bool _isNew = true;
    private bool _workIsDone;

    internal HandshakeAdmission(AdmissionControl control, HandshakeAttempt attempt)
    {
        _control = control;
        _attempt = attempt;
        _address = AddressKey.Of(attempt.RemoteEndPoint);
        _entry = control.AddPending(attempt);
    }

    public void HelloIsComplete()
    {
        _entry?.Leave();
        _entry = _control.AddWaiting(_attempt);
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
            _entry = _control.AddWaiting(_attempt);
            LeaveSlot();
        }
    }

    public ValueTask EndWaitAsync() => _workIsDone ? default : EnterAsync();

    public void WorkIsDone()
    {
        _workIsDone = true;
        _entry ??= _control.AddWaiting(_attempt);
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
