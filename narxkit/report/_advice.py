"""Lags that the horizon bars, and what to do instead: diagnostics know arrays, and no horizon."""

from narxkit._words import counted

NAMING = ("phi_ue", "phi_u2e", "phi_e(eu)")  # tests whose remedy names a lag of an input
ELSEWHERE = (
    "Lags and hidden units are set in Python, NARX(input_lags=..., output_lags=..., "
    "hidden_layer_sizes=...); in an evaluation, lags=... sets those of the target."
)


def advise_on_lags(subject):
    """Say which inputs have lags from the horizon on only, and why.

    Parameters
    ----------
    subject : Subject
        The values analysed.

    Returns
    -------
    list of str
        A sentence, and one on what can be done, as far as something can.
    """
    barred = subject.unknown_ahead
    if not barred:
        return []
    are = "is" if len(barred) == 1 else "are"
    names, horizon = ", ".join(map(repr, barred)), subject.horizon
    notes = [f"{names} {are} not known ahead, so that lags begin at the horizon, {horizon}."]
    if subject.is_from_frame:
        earlier = "; a smaller horizon lets lags begin earlier" if horizon > 1 else ""
        notes.append(f"known_future names inputs that are known ahead{earlier}.")
    return notes


def advise_on_network(subject, validity):
    """Say which lags that the tests of the residuals name are barred, and what can be done.

    Parameters
    ----------
    subject : Subject
        The values analysed.
    validity : Validity
        The verdict on the network.

    Returns
    -------
    list of str
        Sentences; none where the residuals are white.
    """
    if validity.is_white:
        return []
    named = [validity.tests[name].peak[:2] for name in NAMING if name in validity.failures]
    barred = [
        (column, lag)
        for column, lag in dict.fromkeys(named)  # several tests may name one lag
        if column in map(str, subject.unknown_ahead) and lag < subject.horizon
    ]
    return [_bar(subject, *pair) for pair in barred] + [ELSEWHERE]


def _bar(subject, column, lag):
    """Write a sentence on a lag that the horizon bars."""
    before = f"{counted(lag, 'row')} before" if lag else "the same row"
    sentence = (
        f"No forecast {counted(subject.horizon, 'row')} ahead can use {column!r} of {before}, "
        "which is not known then"
    )
    remedies = []
    if subject.is_from_frame:
        remedies.append("name it in known_future if its future is known")
    if lag == 1:
        remedies.append("give horizon=1")
    elif lag > 1:
        remedies.append(f"give horizon={lag} or less")
    return f"{sentence}: {', or '.join(remedies)}." if remedies else f"{sentence}."
