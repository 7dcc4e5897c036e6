"""
====================================
Latching: what is told once and kept
====================================

The first of 40 rows says 1 or -1, noise follows, and at the last row the network has to say what it
was told. The memory profile shows how each kind of cell sees the first row from the last: before
training, which has nothing else to learn from, and after it.
"""

import matplotlib.pyplot as plt
import numpy as np

from narxkit import ElmanRegressor, GRURegressor, LSTMRegressor
from narxkit.diagnostics import memory_profile
from narxkit.solvers import Adam

rng = np.random.default_rng(0)
told = rng.choice([-1.0, 1.0], 600)
u = rng.normal(scale=0.2, size=(600, 40))
u[:, 0] = told
y = np.full(u.shape, np.nan)  # a missing output is no target
y[:, -1] = told
label = np.repeat(np.arange(600), 40)
train, test = label < 500, label >= 500
X, y, last = u.reshape(-1, 1), y.ravel(), np.arange(u.size) % 40 == 39


# %%
# Train each kind from three seeds
# --------------------------------
# An input of the same row alone, no fed-back output and no linear term: what a prediction knows of
# the first row is in the state. A first fit of no rate leaves the weights as they begin.
settings = {"output_lags": [], "hidden_layer_sizes": (8,), "window": 39, "linear_term": False}
start, adam = Adam(learning_rate=1e-12), Adam(batch_size=50, max_grad_norm=1.0)
_, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True, layout="constrained")
kinds = {"Elman": ElmanRegressor, "GRU": GRURegressor, "LSTM": LSTMRegressor}
for ax, (name, kind) in zip(axes, kinds.items()):
    for seed in range(3):
        model = kind(**settings, alpha=0.0, warm_start=True, random_state=seed)
        for colour, solver, passes in (("#b0b0b0", start, 1), ("#0072b2", adam, 20)):
            model.set_params(solver=solver, max_iter=passes)
            model.fit(X[train], y[train], segments=label[train])
            memory = memory_profile(model, X[test], y[test], label[test])
            ax.semilogy(memory.norms[0], color=colour, lw=1)
        y_hat = model.predict_ahead(X[test], y[test], segments=label[test])
        wrong = np.mean(y_hat[last[test]] * y[test & last] <= 0)
        print(f"{name}, seed {seed}: {wrong:.0%} wrong. {memory.sentence}")
    ax.set(title=name, xlabel="lag; the first row is 39 back")
axes[0].set_ylabel("size of the derivative")

# %%
# Before and after
# ----------------
# As it begins, a network sees the first row 1000 to 100,000 times less than the last: gradients
# vanish. Training levels them, where it finds the way. One Elman network latches so firmly that
# they vanish again, around answers none of which is wrong (Bengio, Simard and Frasconi 1994).
before, after = axes[0].lines[:2]
axes[0].legend([before, after], ["before training", "after it"], loc="lower left", frameon=False)
