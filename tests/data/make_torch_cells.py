"""Write `torch_cells.npz`: outputs and gradients of PyTorch's recurrent layers.

Run by an interpreter that has PyTorch: ``python tests/data/make_torch_cells.py``. The tests
compare the kernels with the file, and the file with PyTorch where it is installed.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("torch_cells.npz")
N, T, INPUTS, HIDDEN, OUTPUTS = 3, 7, 2, 4, 2
CASES = [(cell, layers) for cell in ("lstm", "gru", "tanh", "relu") for layers in (1, 2)]
BOTH_WAYS = "lstm", "gru"  # two bidirectional layers


def make_case(cell, layers):
    """Half the squared error of a network over random sequences, and its gradients."""
    import torch

    torch.manual_seed(len(cell) + 10 * layers)
    options = {"num_layers": layers, "batch_first": True, "dtype": torch.float64}
    if cell in ("tanh", "relu"):
        network = torch.nn.RNN(INPUTS, HIDDEN, nonlinearity=cell, **options)
    else:
        network = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](INPUTS, HIDDEN, **options)
    head = torch.nn.Linear(HIDDEN, OUTPUTS, dtype=torch.float64)
    x = torch.randn(N, T, INPUTS, dtype=torch.float64, requires_grad=True)
    y = torch.randn(N, T, OUTPUTS, dtype=torch.float64)
    begin = [torch.randn(layers, N, HIDDEN, dtype=torch.float64, requires_grad=True)]
    begin += [torch.randn_like(begin[0], requires_grad=True)] if cell == "lstm" else []
    h, end = network(x, tuple(begin) if cell == "lstm" else begin[0])
    y_hat = head(h)
    (0.5 * (y_hat - y) ** 2).sum().backward()
    end = end if cell == "lstm" else (end,)
    return {
        "theta": flatten(cell, layers, network, head, lambda tensor: tensor),
        "x": numpy(x),
        "y": numpy(y),
        "state": states(begin),
        "y_hat": numpy(y_hat),
        "end": states(end),
        "g": flatten(cell, layers, network, head, lambda tensor: tensor.grad),
        "dx": numpy(x.grad),
        "dstate": states([part.grad for part in begin]),
    }


def make_both_ways(cell):
    """Outputs of two bidirectional layers, and the gradients of half their sum of squares."""
    import torch

    torch.manual_seed(len(cell))
    options = {"num_layers": 2, "bidirectional": True, "batch_first": True, "dtype": torch.float64}
    network = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](INPUTS, HIDDEN, **options)
    x = torch.randn(N, T, INPUTS, dtype=torch.float64, requires_grad=True)
    h, _ = network(x)
    (0.5 * h**2).sum().backward()
    answer = {"x": numpy(x), "h": numpy(h), "dx": numpy(x.grad)}
    for l in range(2):
        for way in ("", "_reverse"):
            parts = layer(cell, network, f"l{l}{way}", lambda tensor: tensor)
            grads = layer(cell, network, f"l{l}{way}", lambda tensor: tensor.grad)
            answer[f"theta{l}{way}"] = np.concatenate([part.ravel() for part in parts])
            answer[f"g{l}{way}"] = np.concatenate([part.ravel() for part in grads])
    return answer


def numpy(tensor):
    return tensor.detach().numpy()


def states(parts):
    """(N, n_state): h of the first layer, its c, h of the second and so on."""
    return np.stack([numpy(part) for part in parts]).transpose(2, 1, 0, 3).reshape(N, -1)


def layer(cell, network, name, of):
    """Parameters of a layer, or their gradients, in narxkit's order.

    PyTorch has two biases of which only the sum matters, save for what the reset gate of a GRU
    multiplies; the gradients by both are equal.
    """
    names = (f"weight_hh_{name}", f"weight_ih_{name}", f"bias_hh_{name}", f"bias_ih_{name}")
    parameters = [getattr(network, name) for name in names]
    W_h, W_x, b_h, b_x = (numpy(of(parameter)).T for parameter in parameters)
    bias = b_h + b_x if of(parameters[0]) is parameters[0] else b_x
    if cell == "gru":
        W_h = np.hstack((W_h[:, 2 * HIDDEN :], W_h[:, : 2 * HIDDEN]))
        bias = np.r_[b_h[2 * HIDDEN :], bias[: 2 * HIDDEN], b_x[2 * HIDDEN :]]
    return [W_h, bias, W_x]


def flatten(cell, layers, network, head, of):
    """Parameters of a network, or their gradients."""
    parts = [part for l in range(layers) for part in layer(cell, network, f"l{l}", of)]
    parts += [numpy(of(head.weight)).T, numpy(of(head.bias))]
    return np.concatenate([part.ravel() for part in parts])


def make_all():
    cases = {f"{cell}-{layers}": make_case(cell, layers) for cell, layers in CASES}
    cases |= {f"{cell}-both": make_both_ways(cell) for cell in BOTH_WAYS}
    return {
        f"{case}-{name}": array for case, arrays in cases.items() for name, array in arrays.items()
    }


if __name__ == "__main__":
    np.savez_compressed(FILE, **make_all())
