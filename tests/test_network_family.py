"""Every kind of network keeps the promises of the family; a new one joins by one class."""

from narxkit import NARX, TDNN, ElmanRegressor, GRURegressor, LSTMRegressor
from network_family import NetworkFamily


class TestNARX(NetworkFamily):
    regressor = NARX


class TestTDNN(NetworkFamily):
    regressor = TDNN


class TestElman(NetworkFamily):
    regressor = ElmanRegressor


class TestGRU(NetworkFamily):
    regressor = GRURegressor


class TestLSTM(NetworkFamily):
    regressor = LSTMRegressor


class TestCellsOfInputsAlone(NetworkFamily):
    regressor = GRURegressor
    params = {"output_lags": []}


class TestLayersWithATrainedState(NetworkFamily):
    regressor = LSTMRegressor
    params = {"peepholes": True, "initial_state": "trained", "hidden_layer_sizes": (3, 2)}
