namespace MutualAuth.Tests.Revalidation;

/// <summary>What is done about each reason, and which policies make sense.</summary>
public sealed class RevalidationPolicyTests
{
    private static readonly TimeSpan s_tick = TimeSpan.FromTicks(1);

    private static IEnumerable<TestCaseData> Reasons()
    {
        static TestCaseData Case(RevalidationPolicy policy, params RejectionReason[] reasons) => new TestCaseData(policy, reasons)
            .SetArgDisplayNames(reasons[0].ToString());

        // In each policy one action differs from all the others.
        var quiet = new RevalidationPolicy
        {
            OnRevoked = InvalidationAction.Notify,
            OnUntrusted = InvalidationAction.Notify,
            OnStatusUnknown = InvalidationAction.Notify,
            OnUnauthorized = InvalidationAction.Notify,
            OnExpired = InvalidationAction.Notify,
            OnMaximumAge = InvalidationAction.Notify,
            OnIdle = InvalidationAction.Notify,
            OnUserInactive = InvalidationAction.Notify,
            OnOwnCertificateExpired = InvalidationAction.Notify,
            OnUserDisabled = InvalidationAction.Notify,
            OnUserRemoved = InvalidationAction.Notify,
            OnUserNotAllowed = InvalidationAction.Notify,
            OnSecondFactorRemoved = InvalidationAction.Notify,
            OnPasswordChanged = InvalidationAction.Notify,
            OnTokenExpired = InvalidationAction.Notify,
            OnUserStoreUnreadable = InvalidationAction.Notify,
            OnFactsExpired = InvalidationAction.Notify,
        };
        yield return Case(quiet with { OnUserDisabled = InvalidationAction.Drain }, RejectionReason.UserDisabled);
        yield return Case(quiet with { OnUserRemoved = InvalidationAction.Drain }, RejectionReason.UserRemoved);
        yield return Case(
            quiet with { OnUserNotAllowed = InvalidationAction.Drain }, RejectionReason.UserNotAllowed, RejectionReason.AuthorizationIdentityRefused);
        yield return Case(
            quiet with { OnSecondFactorRemoved = InvalidationAction.Drain },
            RejectionReason.SecondFactorRemoved, RejectionReason.ReconnectCredentialRevoked);
        yield return Case(quiet with { OnPasswordChanged = InvalidationAction.Drain }, RejectionReason.PasswordChanged);
        yield return Case(quiet with { OnTokenExpired = InvalidationAction.Drain }, RejectionReason.TokenExpired);
        yield return Case(quiet with { OnUserStoreUnreadable = InvalidationAction.Drain }, RejectionReason.UserStoreUnreadable);
        yield return Case(quiet with { OnFactsExpired = InvalidationAction.Drain }, RejectionReason.FactsExpired);
        yield return Case(quiet with { OnRevoked = InvalidationAction.Drain }, RejectionReason.CertificateRevoked, RejectionReason.DenyListed);
        yield return Case(quiet with { OnStatusUnknown = InvalidationAction.Drain }, RejectionReason.RevocationStatusUnknown);
        yield return Case(quiet with { OnExpired = InvalidationAction.Drain }, RejectionReason.CertificateExpired);
        yield return Case(
            quiet with { OnUnauthorized = InvalidationAction.Drain },
            RejectionReason.NotAuthorized,
            RejectionReason.ServerNameMismatch,
            RejectionReason.WildcardRefused,
            RejectionReason.NotAnSvid,
            RejectionReason.ValidatorRefused);
        yield return Case(quiet with { OnMaximumAge = InvalidationAction.Drain }, RejectionReason.MaximumAgeReached);
        yield return Case(quiet with { OnIdle = InvalidationAction.Drain }, RejectionReason.IdleTimeoutReached);
        yield return Case(quiet with { OnUserInactive = InvalidationAction.Drain }, RejectionReason.UserInactive);
        yield return Case(quiet with { OnOwnCertificateExpired = InvalidationAction.Drain }, RejectionReason.OwnCertificateExpired);
        yield return Case(
            quiet with { OnUntrusted = InvalidationAction.Drain },
            RejectionReason.UnknownAuthority,
            RejectionReason.PinMismatch,
            RejectionReason.PinsExpired);
    }

    [TestCaseSource(nameof(Reasons))]
    public void Each_reason_has_its_action_and_no_other_has_it(RevalidationPolicy policy, RejectionReason[] reasons)
    {
        foreach (var reason in Enum.GetValues<RejectionReason>().Where(
            reason => reason is not (RejectionReason.ValidatorFaulted or RejectionReason.CredentialCheckFaulted)))
        {
            var action = policy.ActionFor(reason);
            if (policy.OnUntrusted == InvalidationAction.Notify || reasons.Contains(reason))
            {
                action.Should().Be(reasons.Contains(reason) ? InvalidationAction.Drain : InvalidationAction.Notify, reason.ToString());
            }
        }
    }

    [TestCase(RejectionReason.ValidatorFaulted)]
    [TestCase(RejectionReason.CredentialCheckFaulted)]
    public void A_peer_that_cannot_be_judged_is_let_go_whatever_the_policy_says(RejectionReason reason) =>
        new RevalidationPolicy { OnUntrusted = InvalidationAction.Notify, OnUnauthorized = InvalidationAction.Notify }
            .ActionFor(reason).Should().Be(InvalidationAction.Abort);

    private static IEnumerable<TestCaseData> Bounds()
    {
        static TestCaseData Case(string name, RevalidationPolicy sound, RevalidationPolicy faulty) =>
            new TestCaseData(sound, faulty).SetArgDisplayNames(name);

        var (hour, day, decade) = (TimeSpan.FromHours(1), TimeSpan.FromDays(1), TimeSpan.FromDays(3660));
        yield return Case("GracePeriod, least", new() { GracePeriod = default }, new() { GracePeriod = -s_tick });
        yield return Case("GracePeriod, most", new() { GracePeriod = hour }, new() { GracePeriod = hour + s_tick });
        yield return Case("MaximumAge, least", new() { MaximumAge = s_tick }, new() { MaximumAge = default(TimeSpan) });
        yield return Case("MaximumAge, most", new() { MaximumAge = decade }, new() { MaximumAge = decade + s_tick });
        yield return Case("IdleTimeout, least", new() { IdleTimeout = s_tick }, new() { IdleTimeout = default(TimeSpan) });
        yield return Case(
            "UserInactivityTimeout, least", new() { UserInactivityTimeout = s_tick }, new() { UserInactivityTimeout = default(TimeSpan) });
        yield return Case(
            "UserInactivityTimeout, most", new() { UserInactivityTimeout = decade }, new() { UserInactivityTimeout = decade + s_tick });
        yield return Case("IdleTimeout, most", new() { IdleTimeout = decade }, new() { IdleTimeout = decade + s_tick });
        yield return Case("ExpiryMargin, least", new() { ExpiryMargin = default }, new() { ExpiryMargin = -s_tick });
        yield return Case("ExpiryMargin, most", new() { ExpiryMargin = day }, new() { ExpiryMargin = day + s_tick });
        yield return Case("ExpirySpread, least", new() { ExpirySpread = default }, new() { ExpirySpread = -s_tick });
        yield return Case("ExpirySpread, most", new() { ExpirySpread = day }, new() { ExpirySpread = day + s_tick });
        var second = TimeSpan.FromSeconds(1);
        yield return Case("RecheckInterval, least", new() { RecheckInterval = second }, new() { RecheckInterval = second - s_tick });
        yield return Case(
            "RecheckInterval, most",
            new() { RecheckInterval = day, MaxUserStaleness = decade },
            new() { RecheckInterval = day + s_tick, MaxUserStaleness = decade });
        yield return Case(
            "MaxUserStaleness, least",
            new() { RecheckInterval = hour, MaxUserStaleness = hour },
            new() { RecheckInterval = hour, MaxUserStaleness = hour - s_tick });
        yield return Case("MaxUserStaleness, most", new() { MaxUserStaleness = decade }, new() { MaxUserStaleness = decade + s_tick });
        yield return Case("ReauthenticationLead, least", new() { ReauthenticationLead = default }, new() { ReauthenticationLead = -s_tick });
        yield return Case("ReauthenticationLead, most", new() { ReauthenticationLead = day }, new() { ReauthenticationLead = day + s_tick });
        yield return Case("an action of users", new() { OnUserRemoved = InvalidationAction.Notify }, new() { OnUserRemoved = (InvalidationAction)4 });
        yield return Case("an action", new() { OnRevoked = InvalidationAction.Notify }, new() { OnIdle = (InvalidationAction)0 });
    }

    [TestCaseSource(nameof(Bounds))]
    public void A_bound_may_be_reached_and_not_passed(RevalidationPolicy sound, RevalidationPolicy faulty)
    {
        sound.Problems().Should().BeEmpty();
        faulty.Problems().Should().ContainSingle();
    }
}
