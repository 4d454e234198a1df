FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    HOME=/tmp \
    DATA_DIR=/data

RUN groupadd --gid 10001 app \
    && useradd --uid 10001 --gid app --no-create-home --home-dir /tmp --shell /usr/sbin/nologin app \
    && install --directory --owner=app --group=app /data

WORKDIR /app

# Packages before code: an edit of the code keeps this layer. Exact versions, each checked by its hash.
COPY requirements.lock ./
RUN pip install --require-hashes --requirement requirements.lock

COPY .streamlit/config.toml .streamlit/config.toml
COPY core core
COPY pages pages
COPY streamlit_app.py ./

USER app
VOLUME /data
EXPOSE 8501

# Answers 503 while the library, the store or the disk cannot be used, and asks nobody who they are. It stands here under
# a base path too.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/api/ready', timeout=8)"]

# Exec form: the server is process 1 and gets the SIGTERM of `docker stop`; unfinished jobs go on at the next start.
CMD ["streamlit", "run", "streamlit_app.py", "--server.address=0.0.0.0", "--server.port=8501"]
