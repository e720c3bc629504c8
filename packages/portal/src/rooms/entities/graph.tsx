/** The neighbourhood of an entity as a graph, laid out from left to right; every node is a link. A chunk of its own. */
import type { CatalogEdge, CatalogGraph } from '@pavior/contract'
import '@xyflow/react/dist/style.css'
import dagre from '@dagrejs/dagre'
import { Skeleton, Text, useComputedColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Background, Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react'
import { useMemo } from 'react'
import { ErrorState } from '../../pieces/error-state.tsx'
import { entityPath, graphQuery, partsOf } from './reads.ts'
import { edgeText } from './rates.ts'
import classes from './entities.module.css'

const nodeSize = { width: 200, height: 48 }

type EntityNode = Node<{ entity: string; here: boolean; missing: boolean }, 'entity'>

export default function Graph({ entity, depth }: { entity: string; depth: number }) {
  const { data, error } = useQuery(graphQuery(entity, depth))
  const navigate = useNavigate()
  const scheme = useComputedColorScheme()
  const drawn = useMemo(() => data && layOut(data, entity), [data, entity])
  if (error) return <ErrorState error={error} />
  if (!drawn) return <Skeleton height={440} />
  return (
    <>
      <div className={classes.graph}>
        <ReactFlow
          key={`${entity} ${depth} ${drawn.nodes.length}`}
          nodes={drawn.nodes}
          edges={drawn.edges}
          nodeTypes={nodeTypes}
          colorMode={scheme}
          nodesDraggable={false}
          nodesConnectable={false}
          onNodeClick={(_event, node) => void navigate({ to: entityPath(node.data.entity) })}
          fitView
          fitViewOptions={{ maxZoom: 1 }}
          minZoom={0.2}
          proOptions={{ hideAttribution: true }}
          aria-label={`What ${partsOf(entity).name} is connected with`}
        >
          <Background />
          <Controls showInteractive={false} />
        </ReactFlow>
      </div>
      {data?.truncated && (
        <Text size="sm" c="dimmed" mt={4}>
          There is more than is drawn here; fewer steps show less.
        </Text>
      )}
    </>
  )
}

function EntityBox({ data: { entity, here, missing } }: NodeProps<EntityNode>) {
  const { kind, namespace, name } = partsOf(entity)
  return (
    <div className={classes.node} data-here={here} data-missing={missing} title={missing ? `${entity} is named, but the catalogue does not know it` : entity}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <Text size="xs" c="dimmed" truncate>
        {missing ? `unknown ${kind}` : kind}
        {namespace !== 'default' && ` · ${namespace}`}
      </Text>
      <Text size="sm" fw={600} truncate>
        {name}
      </Text>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  )
}

const nodeTypes = { entity: EntityBox }

function layOut({ nodes, missing, edges }: CatalogGraph, here: string): { nodes: EntityNode[]; edges: Edge[] } {
  const graph = new dagre.graphlib.Graph({ multigraph: true }).setGraph({ rankdir: 'LR', nodesep: 16, ranksep: 90 }).setDefaultEdgeLabel(() => ({}))
  const refs = [...nodes.map(({ ref }) => ref), ...missing]
  for (const ref of refs) graph.setNode(ref, { ...nodeSize })
  for (const { source, target, type } of edges) graph.setEdge(source, target, {}, type)
  dagre.layout(graph)
  return {
    nodes: refs.map((ref) => {
      const { x, y } = graph.node(ref)
      return { id: ref, type: 'entity', position: { x: x - nodeSize.width / 2, y: y - nodeSize.height / 2 }, data: { entity: ref, here: ref === here, missing: missing.includes(ref) } }
    }),
    edges: edges.map(drawnEdge),
  }
}

/** A dependency that requests were seen of is drawn strong and says how many; one that is only declared is dashed. */
function drawnEdge({ source, target, type, traffic, unseen }: CatalogEdge): Edge {
  const label = traffic ? `${type} ${edgeText(traffic)}` : unseen ? `${type}, never seen` : type
  const style = traffic ? { strokeWidth: 2 } : unseen ? { strokeDasharray: '5 4' } : undefined
  return { id: `${source} ${type} ${target}`, source, target, label, ...(style ? { style } : {}), markerEnd: { type: MarkerType.ArrowClosed } }
}
