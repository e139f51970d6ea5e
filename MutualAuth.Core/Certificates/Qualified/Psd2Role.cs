namespace MutualAuth.Certificates;

/// <summary>What a payment service provider is authorized to do (ETSI TS 119 495 §5.2.2).</summary>
public enum Psd2Role
{
    /// <summary>To keep accounts, <c>PSP_AS</c>.</summary>
    AccountServicing = 1,

    /// <summary>To initiate payments, <c>PSP_PI</c>.</summary>
    PaymentInitiation = 2,

    /// <summary>To read information about accounts, <c>PSP_AI</c>.</summary>
    AccountInformation = 3,

    /// <summary>To issue payment instruments based on cards, <c>PSP_IC</c>.</summary>
    IssuingOfInstruments = 4,
}
