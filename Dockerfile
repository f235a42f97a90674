# hitl as one image: web, worker and tick are the same program with another command (see compose.yaml).
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    PATH=/opt/venv/bin:$PATH \
    HITL_DATA_DIR=/data

RUN pip install --no-cache-dir uv==0.13.8 \
 && useradd --create-home --uid 10001 hitl \
 && install -d -o hitl -g hitl /data /data/audit

WORKDIR /app
COPY pyproject.toml uv.lock .python-version ./
RUN uv sync --locked --no-default-groups --no-cache

COPY . .
RUN python -m compileall -q hitl queues codebook reviews

USER hitl
VOLUME /data
EXPOSE 8000

# Alone, with a database of its own in /data; several share one through compose.yaml.
CMD ["python", "manage.py", "up", "--host", "0.0.0.0"]
