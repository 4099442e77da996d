"""Measure how well the published warehouse of the sample finds the topics from which the sample was drawn.

Run: make build && .venv/bin/python benchmarks/latent_topics.py [--users 2000] [--seed 1]
--users and --seed must be those of the sample that was built: 2,000 and 1 for the sample in seeds/.
"""

import click
import duckdb
import numpy as np
from sklearn.metrics import adjusted_rand_score

from kindred.sample import files
from kindred.warehouse.locations import published_file

RANDOM_PAIRS = 200_000


@click.command(help=__doc__)
@click.option("--users", type=click.IntRange(min=2), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
def main(users: int, seed: int) -> None:
    truth = files.tables(users, seed)["truth"]
    topic_names, of_row = np.unique(truth["topic"].to_numpy(), return_inverse=True)
    shares = np.zeros((users, len(topic_names)))
    shares[truth["user_handle"].to_numpy() - 1, of_row] = truth["share"].to_numpy()
    with duckdb.connect(published_file(), read_only=True) as connection:
        pairs = connection.sql("select user_handle, similar_user_handle from similar_users").fetchnumpy()
        clusters = connection.sql("select user_handle, cluster_id from user_clusters order by user_handle").fetchnumpy()
    if not np.array_equal(clusters["user_handle"], np.arange(1, users + 1)):
        raise click.ClickException(f"The published warehouse is not that of a sample of {users:,} users.")

    topics = shares > 0
    drawn = np.random.default_rng(seed).integers(0, len(topics), size=(2, RANDOM_PAIRS))
    chance = shared(topics, *drawn[:, drawn[0] != drawn[1]])
    neighbours = shared(topics, pairs["user_handle"] - 1, pairs["similar_user_handle"] - 1)
    clustered = clusters["cluster_id"] >= 0
    agreement = adjusted_rand_score(shares.argmax(axis=1)[clustered], clusters["cluster_id"][clustered])
    click.echo(f"neighbours that share a topic    {neighbours:.3f}")
    click.echo(f"random users that share a topic  {chance:.3f}")
    click.echo(f"users in a cluster               {clustered.mean():.3f}")
    click.echo(f"clusters, topics                 {clusters['cluster_id'].max() + 1}, {topics.shape[1]}")
    click.echo(f"adjusted Rand index of clusters against main topics  {agreement:.3f}")


def shared(topics: np.ndarray, rows: np.ndarray, other_rows: np.ndarray) -> float:
    """Return the share of pairs that have a topic in common."""
    return float((topics[rows] & topics[other_rows]).any(axis=1).mean())


if __name__ == "__main__":
    main()
