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
    private readonly PendingPool.Entry _seat;
    private IPAddress? _address;
    private PendingPool? _pool;
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
        _seat = new PendingPool.Entry(attempt);
        _address = isFromProxy ? null : AddressKey.Of(attempt.RemoteEndPoint);
        EnterPool(control.Pending);
    }

    public void AddressIsKnown()
    {
        _address = AddressKey.Of(_attempt.RemoteEndPoint);
        EnterPool(_control.Pending);
    }

    public void HelloIsComplete() => EnterPool(_control.Waiting);

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
            EnterPool(_control.Waiting);
            LeaveSlot();
        }
    }

    public ValueTask EndWaitAsync() => _workIsDone ? default : EnterAsync();

    public void WorkIsDone()
    {
        _workIsDone = true;
        if (_pool is null)
        {
            EnterPool(_control.Waiting);
        }

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

    private void EnterPool(PendingPool pool)
    {
        if (_pool != pool)
        {
            LeavePool();
        }

        _pool = pool;
        pool.Add(_seat, _address);
    }

    private void LeavePool()
    {
        _pool?.Remove(_seat);
        _pool = null;
    }

    private void LeaveSlot()
    {
        _slot?.GiveBack();
        _slot = null;
    }
}
