"""Write `torch_cells.npz`: outputs and gradients of PyTorch's recurrent layers.

Run by an interpreter that has PyTorch: ``python tests/data/make_torch_cells.py``. The tests
compare the kernels with the file, and the file with PyTorch where it is installed.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("torch_cells.npz")
N, T, INPUTS, HIDDEN, OUTPUTS = 3, 7, 2, 4, 2
CASES = [(cell, layers) for cell in ("lstm", "gru", "tanh", "relu") for layers in (1, 2)]


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


def numpy(tensor):
    return tensor.detach().numpy()


def states(parts):
    """(N, n_state): h of the first layer, its c, h of the second and so on."""
    return np.stack([numpy(part) for part in parts]).transpose(2, 1, 0, 3).reshape(N, -1)


def flatten(cell, layers, network, head, of):
    """Parameters, or their gradients, in narxkit's order.

    PyTorch has two biases of which only the sum matters, save for what the reset gate of a GRU
    multiplies; the gradients by both are equal.
    """
    is_value = of(head.bias) is head.bias
    parts = []
    for l in range(layers):
        names = (f"weight_hh_l{l}", f"weight_ih_l{l}", f"bias_hh_l{l}", f"bias_ih_l{l}")
        W_h, W_x, b_h, b_x = (numpy(of(getattr(network, name))).T for name in names)
        bias = b_h + b_x if is_value else b_x
        if cell == "gru":
            W_h = np.hstack((W_h[:, 2 * HIDDEN :], W_h[:, : 2 * HIDDEN]))
            bias = np.r_[b_h[2 * HIDDEN :], bias[: 2 * HIDDEN], b_x[2 * HIDDEN :]]
        parts += [W_h, bias, W_x]
    parts += [numpy(of(head.weight)).T, numpy(of(head.bias))]
    return np.concatenate([part.ravel() for part in parts])


def make_all():
    return {
        f"{cell}-{layers}-{name}": array
        for cell, layers in CASES
        for name, array in make_case(cell, layers).items()
    }


if __name__ == "__main__":
    np.savez_compressed(FILE, **make_all())
