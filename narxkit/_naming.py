"""Names of fitted models: a network by its own only where something passes it."""


def is_off(model):
    """Return whether a fitted network is a linear model: nothing passes its hidden layers."""
    return bool(getattr(model, "is_linear_", False))


def short_name(kind):
    """Name a class of models as tables and legends do.

    Examples
    --------
    >>> from narxkit import NARX, GRURegressor
    >>> short_name(NARX), short_name(GRURegressor)
    ('NARX', 'GRU')
    """
    return kind.__name__.removesuffix("Regressor")


def fitted_name(model, name=None):
    """Name a fitted model.

    Parameters
    ----------
    model : estimator
        Fitted; of a network its ``is_linear_`` is asked for.
    name : str, default=None
        Its name where it is no network, or where the network lives; by default that of its class,
        without "Regressor".

    Returns
    -------
    str
        The name, or "linear (<name>, network off)".

    Examples
    --------
    >>> from narxkit import ARX, NARX
    >>> from narxkit.datasets import make_narendra
    >>> X, y = make_narendra(200, random_state=0)
    >>> model = NARX(input_lags=[1], output_lags=1, random_state=0)
    >>> fitted_name(model.fit(X, y)), fitted_name(ARX().fit(X, y), "ridge ARX")
    ('NARX', 'ridge ARX')
    >>> fitted_name(model.set_params(hidden_layer_sizes=()).fit(X, y))
    'linear (NARX, network off)'
    """
    name = short_name(type(model)) if name is None else name
    return f"linear ({name}, network off)" if is_off(model) else name


def why_off(model):
    """Say why nothing passes the hidden layers of a network that is off, as a clause."""
    if not model.structure_.hidden_layer_sizes:
        return "it has no hidden layers"
    if model.stop_.name == "INTERRUPTED" and not model.n_iter_:
        return "the fit was interrupted before the training of a network"
    # alpha="auto" has switched it off
    if model.alpha_ == float("inf"):
        return (
            "no network has proven better than the linear model, beyond chance, on blocks of the "
            "training rows"
        )
    return f"under alpha={model.alpha_:.3g} nothing passes the hidden layers"


def what_passes(model):
    """Say how much passes the hidden layers of a network; "" of any other model.

    Parameters
    ----------
    model : estimator
        Fitted; of a network its ``hidden_share_`` is asked for.

    Returns
    -------
    str
        A clause.
    """
    if not hasattr(model, "hidden_share_"):
        return ""
    if is_off(model):
        return why_off(model)
    share = f"{100 * model.hidden_share_:.3g} % of the variance of its output"
    return f"{share} passes the hidden layers and is no linear function of the lags"
