"""What the horizon bars, and what to do instead: diagnostics know arrays, and no horizon."""

NAMING = ("phi_ue", "phi_u2e", "phi_e(eu)")  # tests whose remedy names a lag of an input
ELSEWHERE = (
    "Lags and hidden units are set in Python, NARX(input_lags=..., output_lags=..., "
    "hidden_layer_sizes=...); narxkit forecast --lags takes those of the target."
)


def advise_on_lags(subject):
    """Say which inputs have lags from the horizon on only, and why.

    Parameters
    ----------
    subject : Subject
        What was judged.

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
    if subject.is_own:
        nearer = "; a smaller --horizon lets lags begin earlier" if horizon > 1 else ""
        notes.append(f"--known-future names inputs that are known ahead{nearer}.")
    return notes


def advise_on_network(subject, validity):
    """Say which lags that the tests of the residuals name are barred, and what can be done.

    Parameters
    ----------
    subject : Subject
        What was judged.
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
        for column, lag in dict.fromkeys(named)
        if column in map(str, subject.unknown_ahead) and lag < subject.horizon
    ]
    return [_bar(subject, *pair) for pair in barred] + [ELSEWHERE]


def _bar(subject, column, lag):
    """A sentence on a lag that the horizon bars."""
    before = f"{_rows(lag)} before" if lag else "the same row"
    remedies = ["name it in --known-future if its future is known"] if subject.is_own else []
    remedies += [f"give --horizon {lag}" + " or less" * (lag > 1)] if lag else []
    todo = f": {', or '.join(remedies)}" if remedies else ""
    return (
        f"No forecast {_rows(subject.horizon)} ahead can use {column!r} of {before}, which is not "
        f"known then{todo}."
    )


def _rows(n):
    return f"{n} row{'s' if n > 1 else ''}"
